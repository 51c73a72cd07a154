// Compose with AVX-512 (F, BW, DQ, VL), with VNNI, which multiplies and adds pairs in one instruction, and with
// VBMI, which picks bytes from anywhere.
#include "kernels/compose_simd.h"

namespace emomedia {
namespace {

struct Avx512 {
  using Reg = __m512i;
  static constexpr int kColumns = 64;
  static constexpr int kWide = 32;

  struct Pairs {
    Reg v0, v1, v2, v3;
  };
  using Sums = Pairs;

  static Reg broadcast(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Sums all(Reg value) { return {value, value, value, value}; }

  // Words of two bytes are interleaved, and then parted: even columns, odd columns.
  static Pairs pairs(const std::uint8_t* a, const std::uint8_t* b) {
    const Reg row_a = _mm512_loadu_si512(a), row_b = _mm512_loadu_si512(b);
    const Reg low = _mm512_unpacklo_epi16(row_a, row_b), high = _mm512_unpackhi_epi16(row_a, row_b);
    const Reg even = _mm512_set1_epi16(0xFF);
    return {_mm512_and_si512(low, even), _mm512_srli_epi16(low, 8), _mm512_and_si512(high, even),
            _mm512_srli_epi16(high, 8)};
  }
  static Pairs pairs(const std::uint16_t* a, const std::uint16_t* b) {
    const Reg a0 = _mm512_loadu_si512(a), a1 = _mm512_loadu_si512(a + 32);
    const Reg b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 32);
    return {_mm512_unpacklo_epi16(a0, b0), _mm512_unpackhi_epi16(a0, b0), _mm512_unpacklo_epi16(a1, b1),
            _mm512_unpackhi_epi16(a1, b1)};
  }
  static Pairs pairs(const std::int16_t* a, const std::int16_t* b) {
    return pairs(reinterpret_cast<const std::uint16_t*>(a), reinterpret_cast<const std::uint16_t*>(b));
  }

  // The instruction itself: GCC 12 copies its intrinsic's sums there and back.
  static Reg dot(Reg sum, Reg pairs, Reg coeff) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(pairs), "v"(coeff));
    return sum;
  }
  static void add(Sums& sums, const Pairs& pairs, Reg coeff) {
    sums.v0 = dot(sums.v0, pairs.v0, coeff);
    sums.v1 = dot(sums.v1, pairs.v1, coeff);
    sums.v2 = dot(sums.v2, pairs.v2, coeff);
    sums.v3 = dot(sums.v3, pairs.v3, coeff);
  }

  // Outputs 0 .. 31 and 32 .. 63 in order.
  struct Outputs {
    Reg first, second;
  };
  template <typename In>
  static Outputs outputs(const Sums& sums, int shift) {
    const __m128i down = _mm_cvtsi32_si128(shift);
    if constexpr (sizeof(In) > 1) {
      return {_mm512_packs_epi32(_mm512_sra_epi32(sums.v0, down), _mm512_sra_epi32(sums.v1, down)),
              _mm512_packs_epi32(_mm512_sra_epi32(sums.v2, down), _mm512_sra_epi32(sums.v3, down))};
    } else {
      // What an odd column's sum leaves goes to the upper half of the dword whose lower half is the even one's.
      const __m128i up = _mm_cvtsi32_si128(16 - shift);
      const auto parted = [&](Reg even, Reg odd) {
        return _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_srl_epi32(even, down), _mm512_sll_epi32(odd, up));
      };
      const Reg low = parted(sums.v0, sums.v1), high = parted(sums.v2, sums.v3);
      return {_mm512_permutex2var_epi64(low, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), high),
              _mm512_permutex2var_epi64(low, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), high)};
    }
  }
  static Reg clamped(Reg codes, int top) {
    return _mm512_min_epi16(_mm512_max_epi16(codes, _mm512_setzero_si512()),
                            _mm512_set1_epi16(static_cast<std::int16_t>(top)));
  }
  template <typename In>
  static void store(std::int16_t* out, const Sums& sums, const Rounding& rounding) {
    const Outputs t = outputs<In>(sums, rounding.shift);
    _mm512_storeu_si512(out, t.first);
    _mm512_storeu_si512(out + 32, t.second);
  }
  template <typename In>
  static void store(std::uint16_t* out, const Sums& sums, const Rounding& rounding) {
    const Outputs codes = outputs<In>(sums, rounding.shift);
    _mm512_storeu_si512(out, clamped(codes.first, rounding.top));
    _mm512_storeu_si512(out + 32, clamped(codes.second, rounding.top));
  }
  // Saturation is the clamp; packing works within lanes.
  template <typename In>
  static void store(std::uint8_t* out, const Sums& sums, const Rounding& rounding) {
    const Outputs codes = outputs<In>(sums, rounding.shift);
    const Reg mixed = _mm512_packus_epi16(codes.first, codes.second);
    _mm512_storeu_si512(out, _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), mixed));
  }

  static void widen(const std::uint8_t* in, std::int16_t* out) {
    _mm512_storeu_si512(out, _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(in))));
  }
  static void widen(const std::uint16_t* in, std::int16_t* out) { _mm512_storeu_si512(out, _mm512_loadu_si512(in)); }
};

// What a block reads of a row, from which its pairs are picked: in two registers,
struct Window {
  __m512i low, high;

  Window(const std::int16_t* row, int base, int)
      : low(_mm512_loadu_si512(row + 2 * base)), high(_mm512_loadu_si512(row + 2 * base + kWindowPairs)) {}
  __m512i pairs(__m512i index) const { return _mm512_permutex2var_epi32(low, index, high); }
};

// in memory, where they do not suffice,
struct Gather {
  const std::int16_t* first;

  Gather(const std::int16_t* row, int base, int) : first(row + 2 * base) {}
  __m512i pairs(__m512i index) const { return _mm512_i32gather_epi32(index, first, 4); }
};

// or as bytes in one, widened as they are picked. Nothing is read beyond the row's `count` samples.
struct Bytes {
  __m512i window;

  Bytes(const std::uint8_t* row, int base, int count) {
    const int left = count - base;
    const __mmask64 mask = left >= kWindowBytes ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    window = _mm512_maskz_loadu_epi8(mask, row + base);
  }
  __m512i pairs(__m512i index) const { return _mm512_maskz_permutexvar_epi8(0x5555555555555555, index, window); }
};

// A block's sums, of each row.
struct BlockSums {
  __m512i row0, row1, row2, row3;
};

// Writes the outputs of a block: of the rows that are wanted, those of `mask`. Packing works within 128-bit
// lanes, so what belongs to a row is brought together after it.
class Outputs {
 public:
  Outputs(std::uint8_t* out, std::ptrdiff_t stride, int wanted, const Rounding& rounding)
      : out_(out), stride_(stride), wanted_(wanted), top_(rounding.top), shift_(_mm_cvtsi32_si128(rounding.shift)) {}

  // Saturation is the clamp.
  void store(std::uint8_t*, int first, __mmask16 mask, const BlockSums& sums) const {
    const __m512i mixed = _mm512_packus_epi16(two_rows(sums.row0, sums.row1), two_rows(sums.row2, sums.row3));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i rows = _mm512_permutexvar_epi32(order, mixed);
    store_row(0, first, mask, _mm512_castsi512_si128(rows));
    store_row(1, first, mask, _mm512_extracti32x4_epi32(rows, 1));
    store_row(2, first, mask, _mm512_extracti32x4_epi32(rows, 2));
    store_row(3, first, mask, _mm512_extracti32x4_epi32(rows, 3));
  }
  void store(std::uint16_t*, int first, __mmask16 mask, const BlockSums& sums) const {
    store_two(0, first, mask, Avx512::clamped(two_rows(sums.row0, sums.row1), top_));
    store_two(2, first, mask, Avx512::clamped(two_rows(sums.row2, sums.row3), top_));
  }
  void store(std::int16_t*, int first, __mmask16 mask, const BlockSums& sums) const {
    store_two(0, first, mask, two_rows(sums.row0, sums.row1));
    store_two(2, first, mask, two_rows(sums.row2, sums.row3));
  }

 private:
  // In each lane four outputs of one row, then of the other; all fit int16.
  __m512i two_rows(__m512i one, __m512i other) const {
    return _mm512_packs_epi32(_mm512_sra_epi32(one, shift_), _mm512_sra_epi32(other, shift_));
  }
  void store_two(int row, int first, __mmask16 mask, __m512i mixed) const {
    const __m512i rows = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), mixed);
    store_row(row, first, mask, _mm512_castsi512_si256(rows));
    store_row(row + 1, first, mask, _mm512_extracti64x4_epi64(rows, 1));
  }
  void store_row(int row, int first, __mmask16 mask, __m128i bytes) const {
    if (row < wanted_) _mm_mask_storeu_epi8(out_ + row * stride_ + first, mask, bytes);
  }
  void store_row(int row, int first, __mmask16 mask, __m256i words) const {
    if (row < wanted_) _mm256_mask_storeu_epi16(out_ + row * stride_ + 2 * first, mask, words);
  }

  std::uint8_t* out_;
  std::ptrdiff_t stride_;
  int wanted_, top_;
  __m128i shift_;
};

// All blocks of four rows. kPairs is the number of pairs where it is known beforehand, else 0.
template <typename Pairs, typename Out, int kPairs, typename Sample>
[[gnu::always_inline]] inline void all_blocks(const ColBlocks& blocks, const Sample* const (&rows)[kBandRows],
                                              const RowFilter& filter, const Rounding& rounding, const Shares& shares,
                                              const Outputs& out) {
  static_assert(kBandRows == 4);
  const int pairs = kPairs > 0 ? kPairs : blocks.pairs;
  const __m512i round = _mm512_set1_epi32(1 << (rounding.shift - 1));
  for (int number = 0; number < blocks.size(); ++number) {
    shares.fetch_with(number);
    const int base = blocks.base.data()[number], first = number * kBlockCols;
    const std::int32_t* index = blocks.index(number);
    const std::int32_t* coeff = blocks.coeff(number);
    const Pairs row0(rows[0], base, filter.sources), row1(rows[1], base, filter.sources),
        row2(rows[2], base, filter.sources), row3(rows[3], base, filter.sources);
    BlockSums sums{round, round, round, round};
#pragma GCC unroll 8
    for (int p = 0; p < pairs; ++p) {
      const __m512i i = _mm512_loadu_si512(index + p * kBlockCols), c = _mm512_loadu_si512(coeff + p * kBlockCols);
      sums.row0 = Avx512::dot(sums.row0, row0.pairs(i), c);
      sums.row1 = Avx512::dot(sums.row1, row1.pairs(i), c);
      sums.row2 = Avx512::dot(sums.row2, row2.pairs(i), c);
      sums.row3 = Avx512::dot(sums.row3, row3.pairs(i), c);
    }
    const int left = filter.outputs - first;
    const auto mask = static_cast<__mmask16>(left >= kBlockCols ? 0xFFFF : (1 << left) - 1);
    out.store(static_cast<Out*>(nullptr), first, mask, sums);
  }
}

// From 4K, 2160 to 960, as most takes are: a loop that is unrolled is a tenth faster.
constexpr int kPairsFrom4K = 8, kBytePairsFrom4K = 7;

template <typename Out>
void horizontal(const HorizontalTask& task) noexcept {
  const RowFilter& filter = *task.filter;
  const ColBlocks& blocks = filter.blocks;
  const std::int16_t* const rows[kBandRows] = {task.rows, task.rows + task.stride, task.rows + 2 * task.stride,
                                               task.rows + 3 * task.stride};
  const Outputs out(task.out, task.out_stride, task.wanted, task.rounding);
  const Shares shares(task.ahead, task.ahead_bytes, blocks.size());
  if (blocks.span > kWindowPairs) return all_blocks<Gather, Out, 0>(blocks, rows, filter, task.rounding, shares, out);
  if (blocks.pairs == kPairsFrom4K) {
    return all_blocks<Window, Out, kPairsFrom4K>(blocks, rows, filter, task.rounding, shares, out);
  }
  all_blocks<Window, Out, 0>(blocks, rows, filter, task.rounding, shares, out);
}

template <typename Sample>
void widened_along(const SamplesAlongTask& task) {
  widen_rows<Avx512, Sample>(task);
  horizontal<std::int16_t>(task.from_widened());
}

void bytes_along(const SamplesAlongTask& task) noexcept {
  const RowFilter& filter = *task.filter;
  const ColBlocks& blocks = filter.byte_blocks;
  if (blocks.span > kWindowBytes) return widened_along<std::uint8_t>(task);
  const Outputs out(task.out, task.out_stride, kBandRows, task.rounding);
  const Shares shares(task.ahead, task.ahead_bytes, blocks.size());
  if (blocks.pairs == kBytePairsFrom4K) {
    return all_blocks<Bytes, std::int16_t, kBytePairsFrom4K>(blocks, task.rows, filter, task.rounding, shares, out);
  }
  all_blocks<Bytes, std::int16_t, 0>(blocks, task.rows, filter, task.rounding, shares, out);
}

void words_along(const SamplesAlongTask& task) noexcept { widened_along<std::uint16_t>(task); }

}  // namespace

constinit const ComposeKernels kAvx512Kernels{
    "avx512",
    {vertical<Avx512, std::uint8_t, std::int16_t>, vertical<Avx512, std::uint16_t, std::int16_t>},
    {vertical<Avx512, std::int16_t, std::uint8_t>, vertical<Avx512, std::int16_t, std::uint16_t>},
    {bytes_along, words_along},
    {horizontal<std::uint8_t>, horizontal<std::uint16_t>},
    {transpose<std::uint8_t>, transpose<std::uint16_t>}};

}  // namespace emomedia
