// What the x86 versions of compose share, written over a traits class of the register that they work in.
// Included by their files alone, each of which is compiled for its own instruction set: all of it has
// internal linkage, and nothing of the standard library is called that could be compiled here for others.
//
// A traits class V has
//   kColumns                       columns that are summed at a time
//   Reg, broadcast(int32)          a register, of int32
//   Pairs, pairs(const In* a, b)   kColumns samples of two rows, each column's two as int16 side by side
//   Sums, all(Reg)                 a sum a column, in the order of pairs()
//   add(Sums&, Pairs, Reg coeff)   multiplied and added
//   store<In>(Out*, Sums, Rounding)
//   kWide, widen(const In*, int16_t*)  kWide samples as int16
// where In is uint8_t or uint16_t for samples, int16_t for T, and Out the same.
#pragma once

#include <immintrin.h>

#include "kernels/compose_versions.h"

namespace emomedia {
namespace {

constexpr int kLineBytes = 64;

// The instruction itself: GCC drops functions that do nothing but call its intrinsic.
inline void fetch(const std::uint8_t* line) { asm volatile("prefetcht1 %0" : : "m"(*line)); }

// kColumns columns from x on, of rows that reach that far.
template <typename V, typename In>
struct Whole {
  int x;
  typename V::Pairs operator()(const std::uint8_t* a, const std::uint8_t* b) const {
    return V::pairs(reinterpret_cast<const In*>(a) + x, reinterpret_cast<const In*>(b) + x);
  }
};

// The same of rows that do not: they may end where memory does, and must not be read beyond.
template <typename V, typename In>
struct Narrow {
  int width;
  typename V::Pairs operator()(const std::uint8_t* a, const std::uint8_t* b) const {
    In copies[2][kMostLanes] = {};
    for (int i = 0; i < width; ++i) {
      copies[0][i] = reinterpret_cast<const In*>(a)[i];
      copies[1][i] = reinterpret_cast<const In*>(b)[i];
    }
    return V::pairs(copies[0], copies[1]);
  }
};

// The sums of a band's outputs, halved as its table is.
template <typename V>
struct BandSums {
  typename V::Sums row0, row1, row2, row3;

  void add_upper(const typename V::Pairs& pairs, const std::int32_t* coeff) {
    V::add(row0, pairs, V::broadcast(coeff[0]));
    V::add(row1, pairs, V::broadcast(coeff[1]));
  }
  void add_lower(const typename V::Pairs& pairs, const std::int32_t* coeff) {
    V::add(row2, pairs, V::broadcast(coeff[2]));
    V::add(row3, pairs, V::broadcast(coeff[3]));
  }
};

// kColumns columns of all outputs of the band.
template <typename V, typename In, typename Out, typename Load>
[[gnu::always_inline]] inline void columns(const VerticalTask& task, int x, const Load& load) {
  static_assert(kBandRows == 4);
  const BandTable& table = *task.table;
  const std::int32_t* coeff = table.coeff.data();
  const auto zero = V::all(V::broadcast(1 << (task.rounding.shift - 1)));
  BandSums<V> sums{zero, zero, zero, zero};
  int p = 0;
  for (; p < table.lead; ++p) sums.add_upper(load(task.rows[2 * p], task.rows[2 * p + 1]), coeff + p * kBandRows);
#pragma GCC unroll 2
  for (; p < table.tail; ++p) {
    const typename V::Pairs pairs = load(task.rows[2 * p], task.rows[2 * p + 1]);
    sums.add_upper(pairs, coeff + p * kBandRows);
    sums.add_lower(pairs, coeff + p * kBandRows);
  }
  for (; p < task.pairs; ++p) sums.add_lower(load(task.rows[2 * p], task.rows[2 * p + 1]), coeff + p * kBandRows);
  const auto out = [&](int r) { return reinterpret_cast<Out*>(task.out + r * task.out_stride) + x; };
  V::template store<In>(out(0), sums.row0, task.rounding);
  V::template store<In>(out(1), sums.row1, task.rounding);
  V::template store<In>(out(2), sums.row2, task.rounding);
  V::template store<In>(out(3), sums.row3, task.rounding);
}

// The rows ahead, as far as the lines that the columns from x on begin.
template <typename V, typename In>
inline void fetch_ahead(const Ahead& ahead, int x) {
  constexpr int kStep = V::kColumns * static_cast<int>(sizeof(In));
  const int at = x * static_cast<int>(sizeof(In));
  if (at % kLineBytes >= kStep) return;
  for (int line = 0; line < kStep; line += kLineBytes) {
    for (int i = 0; i < ahead.count; ++i) fetch(ahead.rows[i] + at + line);
  }
}

template <typename V, typename In, typename Out>
void vertical(const VerticalTask& task) noexcept {
  if (task.width < V::kColumns) return columns<V, In, Out>(task, 0, Narrow<V, In>{task.width});
  for (int x = 0; x + V::kColumns <= task.width; x += V::kColumns) {
    fetch_ahead<V, In>(task.ahead, x);
    columns<V, In, Out>(task, x, Whole<V, In>{x});
  }
  // The last columns once more, from where a whole step ends with them.
  const int last = task.width - V::kColumns;
  if (task.width % V::kColumns != 0) columns<V, In, Out>(task, last, Whole<V, In>{last});
}

template <typename V, typename Sample>
void widen(const Sample* source, int width, std::int16_t* out) {
  if (width < V::kWide) {
    for (int x = 0; x < width; ++x) out[x] = static_cast<std::int16_t>(source[x]);
    return;
  }
  for (int x = 0; x + V::kWide <= width; x += V::kWide) V::widen(source + x, out + x);
  V::widen(source + width - V::kWide, out + width - V::kWide);
}

template <typename V, typename Sample>
void widen_rows(const SamplesAlongTask& task) {
  for (int r = 0; r < kBandRows; ++r) {
    widen<V>(reinterpret_cast<const Sample*>(task.rows[r]), task.filter->sources, task.widened + r * task.widened_stride);
  }
}

// The rows ahead, a share with each block of outputs: all of them at once would wait for each other.
class Shares {
 public:
  Shares(const Ahead& ahead, int bytes, int blocks)
      : ahead_(ahead),
        lines_((bytes + kLineBytes - 1) / kLineBytes),
        share_((lines_ + blocks - 1) / blocks) {}

  void fetch_with(int block) const {
    for (int line = block * share_; line < lines_ && line < (block + 1) * share_; ++line) {
      for (int i = 0; i < ahead_.count; ++i) fetch(ahead_.rows[i] + line * kLineBytes);
    }
  }

 private:
  Ahead ahead_;
  int lines_, share_;
};

// Transposing within 128-bit lanes.
inline __m256i low_of(__m256i a, __m256i b, std::uint8_t) { return _mm256_unpacklo_epi8(a, b); }
inline __m256i low_of(__m256i a, __m256i b, std::uint16_t) { return _mm256_unpacklo_epi16(a, b); }
inline __m256i high_of(__m256i a, __m256i b, std::uint8_t) { return _mm256_unpackhi_epi8(a, b); }
inline __m256i high_of(__m256i a, __m256i b, std::uint16_t) { return _mm256_unpackhi_epi16(a, b); }

// Of as many registers as a lane has samples, register i then holds sample i of each, lane by lane.
// Interleaving register i with register i + n/2, log2(n) times, is just that.
template <typename Sample>
inline void transpose_lanes(__m256i* rows) {
  constexpr int kCount = 16 / sizeof(Sample);
  for (int stage = kCount; stage > 1; stage /= 2) {
    __m256i mixed[kCount];
    for (int i = 0; i < kCount / 2; ++i) {
      mixed[2 * i] = low_of(rows[i], rows[i + kCount / 2], Sample{});
      mixed[2 * i + 1] = high_of(rows[i], rows[i + kCount / 2], Sample{});
    }
    for (int i = 0; i < kCount; ++i) rows[i] = mixed[i];
  }
}

// The samples of two registers' worth of columns from x on, in as many rows from y on as a lane has samples.
template <typename Sample>
inline void transpose_tile(const TransposeTask& task, int x, int y) {
  constexpr int kLane = 16 / sizeof(Sample);
  __m256i rows[kLane];
  const std::uint8_t* source = task.source + y * task.source_stride + x * static_cast<std::ptrdiff_t>(sizeof(Sample));
  for (int i = 0; i < kLane; ++i) {
    rows[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(source + i * task.source_stride));
  }
  transpose_lanes<Sample>(rows);
  std::uint8_t* out = task.out + x * task.out_stride + y * static_cast<std::ptrdiff_t>(sizeof(Sample));
  for (int i = 0; i < kLane; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * task.out_stride), _mm256_castsi256_si128(rows[i]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + (kLane + i) * task.out_stride),
                     _mm256_extracti128_si256(rows[i], 1));
  }
}

template <typename Sample>
void transpose(const TransposeTask& task) noexcept {
  constexpr int kRows = 16 / sizeof(Sample), kCols = 2 * kRows;
  if (task.width < kCols || task.height < kRows) {
    for (int x = 0; x < task.width; ++x) {
      Sample* out = reinterpret_cast<Sample*>(task.out + x * task.out_stride);
      for (int y = 0; y < task.height; ++y) {
        out[y] = reinterpret_cast<const Sample*>(task.source + y * task.source_stride)[x];
      }
    }
    return;
  }
  // The last columns and rows once more, from where a whole tile ends with them.
  for (int x = 0; x < task.width; x += kCols) {
    const int left = x + kCols <= task.width ? x : task.width - kCols;
    for (int y = 0; y < task.height; y += kRows) {
      transpose_tile<Sample>(task, left, y + kRows <= task.height ? y : task.height - kRows);
    }
  }
}

}  // namespace
}  // namespace emomedia
