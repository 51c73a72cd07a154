// The compose contract in plain C++: the oracle of the faster versions, and fast enough to ship.
#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/compose.h"

namespace emomedia {
namespace {

constexpr int kTile = 32;   // samples, both ways, copied at a time when a plane is turned
constexpr int kBlock = 64;  // columns summed at a time: their sums stay in registers and the nearest cache

// Upright source rows that lie in memory as rows of samples.
template <typename Sample>
struct Rows {
  const std::uint8_t* first;  // row 0, column 0
  std::ptrdiff_t stride;

  const Sample* row(int y) const { return reinterpret_cast<const Sample*>(first + y * stride); }
};

// Copies the upright crop into scratch, tile by tile, so that its rows lie in memory as rows.
template <typename Sample>
Rows<Sample> turned_upright(const PlaneTask& task, int x0, int x1, int y0, int y1, ComposeScratch& scratch) {
  auto* out = reinterpret_cast<Sample*>(scratch.turned.data());
  const std::ptrdiff_t width = x1;
  const UprightPlane& source = task.source;
  for (int ty = y0; ty < y1; ty += kTile) {
    for (int tx = x0; tx < x1; tx += kTile) {
      for (int y = ty; y < std::min(ty + kTile, y1); ++y) {
        for (int x = tx; x < std::min(tx + kTile, x1); ++x) {
          std::memcpy(&out[y * width + x], source.origin + x * source.step_x + y * source.step_y, sizeof(Sample));
        }
      }
    }
  }
  return {scratch.turned.data(), width * static_cast<std::ptrdiff_t>(sizeof(Sample))};
}

template <typename Sample>
Rows<Sample> upright_rows(const PlaneTask& task, int x0, int x1, ComposeScratch& scratch) {
  const AxisFilter& rows = task.filter->rows;
  if (task.source.step_x == static_cast<std::ptrdiff_t>(sizeof(Sample))) {
    return {task.source.origin, task.source.step_y};
  }
  return turned_upright<Sample>(task, x0, x1, rows.first_source, rows.end_source, scratch);
}

// Columns x .. x + count - 1 of one row of T. Factors are int16 so that compilers without a 32-bit vector
// multiply still find a widening one; samples of at most 12 bits fit.
template <typename Sample>
void vertical_block(const Rows<Sample>& source, const std::int16_t* coeff, int first_row, int taps, int depth, int x,
                    int count, std::int16_t* out) {
  std::array<std::int32_t, kBlock> sums;
  sums.fill(std::int32_t{1} << (depth - 1));
  for (int t = 0; t < taps; ++t) {
    const std::int16_t c = coeff[t];
    const Sample* row = source.row(first_row + t) + x;
    for (int i = 0; i < count; ++i) sums[static_cast<std::size_t>(i)] += c * static_cast<std::int16_t>(row[i]);
  }
  for (int i = 0; i < count; ++i) out[x + i] = static_cast<std::int16_t>(sums[static_cast<std::size_t>(i)] >> depth);
}

template <typename Sample>
void vertical(const Rows<Sample>& source, const AxisFilter& filter, int j, int depth, int x0, int x1,
              std::int16_t* out) {
  const std::int16_t* coeff = filter.coeff.data() + static_cast<std::ptrdiff_t>(j) * filter.taps;
  const int first_row = filter.start[static_cast<std::size_t>(j)];
  int x = x0;
  for (; x + kBlock <= x1; x += kBlock) vertical_block(source, coeff, first_row, filter.taps, depth, x, kBlock, out);
  vertical_block(source, coeff, first_row, filter.taps, depth, x, x1 - x, out);
}

template <typename Out>
void horizontal(const std::int16_t* row, const AxisFilter& filter, int output_depth, Out* out) {
  const int shift = 28 - output_depth;
  const std::int32_t top = (1 << output_depth) - 1;
  for (int i = 0; i < filter.size(); ++i) {
    const std::int16_t* taps = row + filter.start[static_cast<std::size_t>(i)];
    const std::int16_t* coeff = filter.coeff.data() + static_cast<std::ptrdiff_t>(i) * filter.taps;
    std::int32_t sum = std::int32_t{1} << (shift - 1);
    for (int t = 0; t < filter.taps; ++t) sum += coeff[t] * taps[t];
    out[i] = static_cast<Out>(std::clamp(sum >> shift, 0, top));
  }
}

template <typename Sample, typename Out>
void compose_plane(const PlaneTask& task, ComposeScratch& scratch) {
  const AxisFilter& cols = task.filter->cols;
  const AxisFilter& rows = task.filter->rows;
  const int x0 = cols.first_source;
  const int x1 = cols.end_source;
  const Rows<Sample> source = upright_rows<Sample>(task, x0, x1, scratch);
  for (int j = 0; j < rows.size(); ++j) {
    vertical(source, rows, j, task.depth, x0, x1, scratch.row.data());
    horizontal(scratch.row.data(), cols, task.output_depth,
               reinterpret_cast<Out*>(task.output + j * task.output_stride));
  }
}

void scalar_plane(const PlaneTask& task, ComposeScratch& scratch) noexcept {
  if (task.depth > 8) {
    if (task.output_depth > 8) return compose_plane<std::uint16_t, std::uint16_t>(task, scratch);
    return compose_plane<std::uint16_t, std::uint8_t>(task, scratch);
  }
  if (task.output_depth > 8) return compose_plane<std::uint8_t, std::uint16_t>(task, scratch);
  return compose_plane<std::uint8_t, std::uint8_t>(task, scratch);
}

}  // namespace

const ComposeKernels kScalarKernels{"scalar", scalar_plane};

}  // namespace emomedia
