// The compose contract in plain C++: the oracle of the faster versions, and fast enough to ship.
#include <algorithm>
#include <cstring>

#include "kernels/compose.h"

namespace emomedia {
namespace {

constexpr int kTile = 32;

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

template <typename Sample>
void vertical(const Rows<Sample>& source, const AxisFilter& filter, int j, int depth, int x0, int x1,
              ComposeScratch& scratch) {
  std::int32_t* sums = scratch.sums.data();
  std::fill(sums + x0, sums + x1, std::int32_t{1} << (depth - 1));
  for (int t = 0; t < filter.taps; ++t) {
    const std::int32_t c = filter.coeff[static_cast<std::size_t>(j * filter.taps + t)];
    const Sample* row = source.row(filter.start[static_cast<std::size_t>(j)] + t);
    for (int x = x0; x < x1; ++x) sums[x] += c * row[x];
  }
  std::int16_t* out = scratch.row.data();
  for (int x = x0; x < x1; ++x) out[x] = static_cast<std::int16_t>(sums[x] >> depth);
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
    vertical(source, rows, j, task.depth, x0, x1, scratch);
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
