// Compose with AVX2.
#include "kernels/compose_simd.h"

namespace emomedia {
namespace {

constexpr int kDots = 8;  // output columns made at a time

struct Avx2 {
  using Reg = __m256i;
  static constexpr int kColumns = 16;
  static constexpr int kWide = 16;

  struct Pairs {
    Reg low, high;  // of each 128-bit lane
  };
  using Sums = Pairs;

  static Reg broadcast(std::int32_t value) { return _mm256_set1_epi32(value); }
  static Sums all(Reg value) { return {value, value}; }

  static Reg load(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Reg load(const std::uint16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Reg load(const std::int16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  template <typename In>
  static Pairs pairs(const In* a, const In* b) {
    const Reg row_a = load(a), row_b = load(b);
    return {_mm256_unpacklo_epi16(row_a, row_b), _mm256_unpackhi_epi16(row_a, row_b)};
  }

  static Reg dot(Reg sum, Reg pairs, Reg coeff) { return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, coeff)); }
  static void add(Sums& sums, const Pairs& pairs, Reg coeff) {
    sums.low = dot(sums.low, pairs.low, coeff);
    sums.high = dot(sums.high, pairs.high, coeff);
  }

  // Packing works within lanes, and so undoes the order of the pairs.
  static Reg outputs(const Sums& sums, int shift) {
    const __m128i down = _mm_cvtsi32_si128(shift);
    return _mm256_packs_epi32(_mm256_sra_epi32(sums.low, down), _mm256_sra_epi32(sums.high, down));
  }
  static void store(__m256i* out, Reg value) { _mm256_storeu_si256(out, value); }
  template <typename In>
  static void store(std::int16_t* out, const Sums& sums, const Rounding& rounding) {
    store(reinterpret_cast<__m256i*>(out), outputs(sums, rounding.shift));
  }
  template <typename In>
  static void store(std::uint16_t* out, const Sums& sums, const Rounding& rounding) {
    const Reg top = _mm256_set1_epi16(static_cast<std::int16_t>(rounding.top));
    const Reg codes = outputs(sums, rounding.shift);
    store(reinterpret_cast<__m256i*>(out), _mm256_min_epi16(_mm256_max_epi16(codes, _mm256_setzero_si256()), top));
  }
  // Saturation is the clamp.
  template <typename In>
  static void store(std::uint8_t* out, const Sums& sums, const Rounding& rounding) {
    const Reg codes = outputs(sums, rounding.shift);
    const Reg halves = _mm256_permute4x64_epi64(_mm256_packus_epi16(codes, codes), _MM_SHUFFLE(3, 3, 2, 0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(halves));
  }

  template <typename In>
  static void widen(const In* in, std::int16_t* out) {
    store(reinterpret_cast<__m256i*>(out), load(in));
  }
};

// Dwords 2i and 2i + 1 added up, a's and b's in turn; within 128-bit lanes. A horizontal add takes one shuffle
// more, and shuffles are what there is least of.
__m256i added_in_twos(__m256i a, __m256i b) {
  const __m256i straight = _mm256_blend_epi32(a, b, 0b10101010);
  const __m256i crossed = _mm256_shuffle_epi32(_mm256_blend_epi32(b, a, 0b10101010), _MM_SHUFFLE(2, 3, 0, 1));
  return _mm256_add_epi32(straight, crossed);
}

// The halves of each lane added up: a's, then b's.
__m256i added_halves(__m256i a, __m256i b) {
  return _mm256_add_epi32(_mm256_blend_epi32(a, b, 0b11001100), _mm256_alignr_epi8(b, a, 8));
}

// The lanes added up: a's, then b's.
__m256i added_lanes(__m256i a, __m256i b) {
  return _mm256_add_epi32(_mm256_blend_epi32(a, b, 0b11110000), _mm256_permute2x128_si256(a, b, 0x21));
}

// dword i: all dwords of v[i] added up.
__m256i added_up(const __m256i (&v)[kDots]) {
  const __m256i v0123 = added_halves(added_in_twos(v[0], v[1]), added_in_twos(v[2], v[3]));
  const __m256i v4567 = added_halves(added_in_twos(v[4], v[5]), added_in_twos(v[6], v[7]));
  return added_lanes(v0123, v4567);
}

__m256i loaded(const std::int16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

// The sums of outputs first .. first + 7 of a row.
__m256i dots(const std::int16_t* row, const ColDots& cols, int first) {
  const std::int32_t* start = cols.start.data() + first;
  const std::int16_t* coeff = cols.coeff.data() + static_cast<std::ptrdiff_t>(first) * cols.taps;
  __m256i sums[kDots];
  for (int i = 0; i < kDots; ++i) sums[i] = _mm256_madd_epi16(loaded(row + start[i]), loaded(coeff + i * cols.taps));
  for (int k = kDotTaps; k < cols.taps; k += kDotTaps) {
    for (int i = 0; i < kDots; ++i) {
      sums[i] = Avx2::dot(sums[i], loaded(row + start[i] + k), loaded(coeff + i * cols.taps + k));
    }
  }
  return added_up(sums);
}

// Eight sums as outputs.
struct Outputs {
  Rounding rounding;

  __m256i shifted(__m256i sum) const {
    const __m256i rounded = _mm256_add_epi32(sum, _mm256_set1_epi32(1 << (rounding.shift - 1)));
    return _mm256_sra_epi32(rounded, _mm_cvtsi32_si128(rounding.shift));
  }
  // In order, as int16.
  static __m128i packed(__m256i values) {
    return _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  }
  __m128i codes(__m256i sum) const {
    const __m256i top = _mm256_set1_epi32(rounding.top);
    return packed(_mm256_min_epi32(_mm256_max_epi32(shifted(sum), _mm256_setzero_si256()), top));
  }
  void store(std::int16_t* out, __m256i sum) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), packed(shifted(sum)));
  }
  void store(std::uint16_t* out, __m256i sum) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(out), codes(sum)); }
  void store(std::uint8_t* out, __m256i sum) const {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(codes(sum), _mm_setzero_si128()));
  }
};

// Fewer than eight outputs, of which no more may be written.
template <typename Out>
void store_last(const Outputs& outputs, int count, __m256i sum, Out* out) {
  Out last[kDots];
  outputs.store(last, sum);
  for (int i = 0; i < count; ++i) out[i] = last[i];
}

template <typename Out>
void horizontal(const HorizontalTask& task) noexcept {
  const Outputs outputs{task.rounding};
  const ColDots& cols = task.filter->dots;
  const int count = task.filter->outputs;
  const Shares shares(task.ahead, task.ahead_bytes, (count + kDots - 1) / kDots);
  for (int first = 0; first < count; first += kDots) {
    shares.fetch_with(first / kDots);
    for (int r = 0; r < task.wanted; ++r) {
      const __m256i sum = dots(task.rows + r * task.stride, cols, first);
      Out* out = reinterpret_cast<Out*>(task.out + r * task.out_stride) + first;
      if (first + kDots <= count) {
        outputs.store(out, sum);
      } else {
        store_last(outputs, count - first, sum, out);
      }
    }
  }
}

template <typename Sample>
void samples_along(const SamplesAlongTask& task) noexcept {
  widen_rows<Avx2, Sample>(task);
  horizontal<std::int16_t>(task.from_widened());
}

}  // namespace

constinit const ComposeKernels kAvx2Kernels{
    "avx2",
    {vertical<Avx2, std::uint8_t, std::int16_t>, vertical<Avx2, std::uint16_t, std::int16_t>},
    {vertical<Avx2, std::int16_t, std::uint8_t>, vertical<Avx2, std::int16_t, std::uint16_t>},
    {samples_along<std::uint8_t>, samples_along<std::uint16_t>},
    {horizontal<std::uint8_t>, horizontal<std::uint16_t>},
    {transpose<std::uint8_t>, transpose<std::uint16_t>}};

}  // namespace emomedia
