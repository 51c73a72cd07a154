// The compose contract in plain C++: the oracle of the faster versions, and fast enough to ship.
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "kernels/compose_versions.h"

namespace emomedia {
namespace {

constexpr int kTile = 32;   // samples, both ways, transposed at a time
constexpr int kBlock = 64;  // columns summed at a time: their sums stay in registers and the nearest cache

std::int16_t low(std::int32_t pair) { return static_cast<std::int16_t>(pair & 0xFFFF); }
std::int16_t high(std::int32_t pair) { return static_cast<std::int16_t>(pair >> 16); }

// T of bytes always fits int16.
template <typename In, typename Out>
Out rounded(std::int32_t sum, const Rounding& rounding) {
  const std::int32_t value = sum >> rounding.shift;
  if constexpr (!std::is_same_v<Out, std::int16_t>) return static_cast<Out>(std::clamp(value, 0, rounding.top));
  return static_cast<Out>(sizeof(In) == 1 ? value : std::clamp(value, INT16_MIN, INT16_MAX));
}

// Columns x .. x + count - 1 of output `row` of the band. Factors are int16 so that compilers without a 32-bit
// vector multiply still find a widening one; samples of at most 12 bits fit, as T does, and others are to be wrapped.
template <typename In, typename Out>
void vertical_block(const VerticalTask& task, int row, int x, int count) {
  const std::int32_t* coeff = task.table->coeff.data();
  std::array<std::int32_t, kBlock> sums;
  sums.fill(std::int32_t{1} << (task.rounding.shift - 1));
  for (int p = 0; p < task.pairs; ++p) {
    const std::int32_t pair = coeff[p * kBandRows + row];
    if (pair == 0) continue;
    const std::int16_t c0 = low(pair), c1 = high(pair);
    const auto* row0 = reinterpret_cast<const In*>(task.rows[2 * p]) + x;
    const auto* row1 = reinterpret_cast<const In*>(task.rows[2 * p + 1]) + x;
    for (int i = 0; i < count; ++i) {
      sums[static_cast<std::size_t>(i)] +=
          c0 * static_cast<std::int16_t>(row0[i]) + c1 * static_cast<std::int16_t>(row1[i]);
    }
  }
  Out* out = reinterpret_cast<Out*>(task.out + row * task.out_stride) + x;
  for (int i = 0; i < count; ++i) out[i] = rounded<In, Out>(sums[static_cast<std::size_t>(i)], task.rounding);
}

template <typename In, typename Out>
void vertical(const VerticalTask& task) noexcept {
  for (int row = 0; row < kBandRows; ++row) {
    int x = 0;
    for (; x + kBlock <= task.width; x += kBlock) vertical_block<In, Out>(task, row, x, kBlock);
    vertical_block<In, Out>(task, row, x, task.width - x);
  }
}

// In is what the rows were before they were widened.
template <typename In, typename Out>
void horizontal(const HorizontalTask& task) noexcept {
  const ColDots& dots = task.filter->dots;
  for (int row = 0; row < task.wanted; ++row) {
    Out* out = reinterpret_cast<Out*>(task.out + row * task.out_stride);
    for (int i = 0; i < task.filter->outputs; ++i) {
      const std::int16_t* taps = task.rows + row * task.stride + dots.start[static_cast<std::size_t>(i)];
      const std::int16_t* coeff = dots.coeff.data() + static_cast<std::ptrdiff_t>(i) * dots.taps;
      std::int32_t sum = std::int32_t{1} << (task.rounding.shift - 1);
      for (int k = 0; k < dots.taps; ++k) sum += coeff[k] * taps[k];
      out[i] = rounded<In, Out>(sum, task.rounding);
    }
  }
}

template <typename Sample>
void samples_along(const SamplesAlongTask& task) noexcept {
  for (int row = 0; row < kBandRows; ++row) {
    const auto* source = reinterpret_cast<const Sample*>(task.rows[row]);
    std::copy_n(source, task.filter->sources, task.widened + row * task.widened_stride);
  }
  horizontal<Sample, std::int16_t>(task.from_widened());
}

template <typename Sample>
void transpose(const TransposeTask& task) noexcept {
  for (int tx = 0; tx < task.width; tx += kTile) {
    for (int x = tx; x < std::min(tx + kTile, task.width); ++x) {
      Sample* out = reinterpret_cast<Sample*>(task.out + x * task.out_stride);
      for (int y = 0; y < task.height; ++y) {
        out[y] = reinterpret_cast<const Sample*>(task.source + y * task.source_stride)[x];
      }
    }
  }
}

}  // namespace

constinit const ComposeKernels kScalarKernels{
    "scalar",
    {vertical<std::uint8_t, std::int16_t>, vertical<std::uint16_t, std::int16_t>},
    {vertical<std::int16_t, std::uint8_t>, vertical<std::int16_t, std::uint16_t>},
    {samples_along<std::uint8_t>, samples_along<std::uint16_t>},
    {horizontal<std::int16_t, std::uint8_t>, horizontal<std::int16_t, std::uint16_t>},
    {transpose<std::uint8_t>, transpose<std::uint16_t>}};

}  // namespace emomedia
