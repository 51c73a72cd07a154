#include "kernels/filter.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "emomedia/error.h"

namespace emomedia {
namespace {

constexpr double kLobes = 3.0;

double sinc(double x) {
  if (x == 0.0) return 1.0;
  const double angle = std::numbers::pi * x;
  return std::sin(angle) / angle;
}

double lanczos3(double x) { return std::abs(x) < kLobes ? sinc(x) * sinc(x / kLobes) : 0.0; }

// The samples of one plane along one upright axis, in a continuous coordinate in which luma pixel p
// covers [p, p + 1): sample k has its centre at spacing * k + half_phase / 2 and stands for the luma
// pixels from spacing * k + cell on, `spacing` of them.
struct SampleGrid {
  int count;
  int spacing;
  int half_phase;
  int cell = 0;  // -1 where an odd axis is turned round: its first sample stands for one pixel

  // The same samples counted from the other end of an axis of `length` luma pixels.
  SampleGrid reversed(int length) const {
    return {count, spacing, 2 * (length - spacing * (count - 1)) - half_phase, length - spacing * count - cell};
  }
};

struct Axis {
  SampleGrid source;
  int crop_first, crop_count;  // luma pixels
  SampleGrid output;
  int output_luma;  // luma pixels that crop_count is scaled to
};

// The first and last source sample that the crop touches, within the plane.
std::pair<int, int> crop_samples(const Axis& axis) {
  const int spacing = axis.source.spacing;
  const int begin = axis.crop_first - axis.source.cell;
  const int first = begin / spacing;
  const int last = (begin + axis.crop_count + spacing - 1) / spacing - 1;
  return {std::min(first, axis.source.count - 1), std::min(last, axis.source.count - 1)};
}

// Weights of source samples from `first` on.
struct Weights {
  int first;
  std::vector<double> weight;
};

// Those of one output sample within source samples first..last, edges folded in, summing to 1.
Weights weights(const Axis& axis, int output, int first, int last) {
  const double ratio = static_cast<double>(axis.crop_count) / axis.output_luma;
  const double position =
      axis.crop_first + (axis.output.spacing * output + axis.output.half_phase / 2.0) * ratio;
  const double center = (position - axis.source.half_phase / 2.0) / axis.source.spacing;
  const double stretch = std::max(1.0, ratio * axis.output.spacing / axis.source.spacing);
  const int from = static_cast<int>(std::floor(center - kLobes * stretch)) + 1;
  const int to = static_cast<int>(std::ceil(center + kLobes * stretch)) - 1;

  const int begin = std::clamp(from, first, last), end = std::clamp(to, first, last) + 1;
  std::vector<double> weight(static_cast<std::size_t>(end - begin), 0.0);
  double sum = 0.0;
  for (int k = from; k <= to; ++k) {
    const double w = lanczos3((k - center) / stretch);
    weight[static_cast<std::size_t>(std::clamp(k, first, last) - begin)] += w;
    sum += w;
  }
  for (double& w : weight) w /= sum;
  return {begin, std::move(weight)};
}

// Rounded to 14 bits; what rounding left over goes to the largest coefficient, so the sum is exact.
std::vector<std::int16_t> quantized(const std::vector<double>& weight) {
  std::vector<std::int16_t> coeff(weight.size());
  std::transform(weight.begin(), weight.end(), coeff.begin(),
                 [](double w) { return static_cast<std::int16_t>(std::lround(w * kCoeffOne)); });
  const int sum = std::accumulate(coeff.begin(), coeff.end(), 0);
  *std::max_element(coeff.begin(), coeff.end()) += static_cast<std::int16_t>(kCoeffOne - sum);
  return coeff;
}

AxisFilter axis_filter(const Axis& axis) {
  const auto [first, last] = crop_samples(axis);
  std::vector<std::vector<std::int16_t>> rows;
  AxisFilter filter;
  for (int o = 0; o < axis.output.count; ++o) {
    const Weights all = weights(axis, o, first, last);
    const std::vector<std::int16_t> row = quantized(all.weight);
    const auto nonzero = [](std::int16_t c) { return c != 0; };
    const auto begin = std::find_if(row.begin(), row.end(), nonzero);
    const auto end = std::find_if(row.rbegin(), row.rend(), nonzero).base();
    filter.start.push_back(all.first + static_cast<int>(begin - row.begin()));
    rows.emplace_back(begin, end);
    filter.taps = std::max(filter.taps, static_cast<int>(rows.back().size()));
  }
  // Rows shorter than the longest are padded with zeros behind, or in front where the crop ends.
  filter.coeff.assign(rows.size() * static_cast<std::size_t>(filter.taps), 0);
  for (std::size_t o = 0; o < rows.size(); ++o) {
    const int start = std::max(first, std::min(filter.start[o], last + 1 - filter.taps));
    std::copy(rows[o].begin(), rows[o].end(),
              filter.coeff.begin() + static_cast<std::ptrdiff_t>(o) * filter.taps + (filter.start[o] - start));
    filter.start[o] = start;
  }
  filter.first_source = *std::min_element(filter.start.begin(), filter.start.end());
  filter.end_source = *std::max_element(filter.start.begin(), filter.start.end()) + filter.taps;
  return filter;
}

// Twice the distance from a pixel pair's left or top border to its chroma sample: 1 is the middle of
// the first pixel, 2 the border between the two.
int half_phase(bool subsampled, bool cosited) { return subsampled && !cosited ? 2 : 1; }

SampleGrid coded_grid(const HalfGeometry& g, int plane, bool horizontal) {
  const PictureFormat& f = g.source;
  const int spacing = plane == 0 ? 1 : (horizontal ? f.sub_x : f.sub_y);
  const bool cosited = g.siting == Siting::top_left || (horizontal && g.siting == Siting::left);
  return {horizontal ? f.plane_width(plane) : f.plane_height(plane), spacing,
          half_phase(spacing == 2, cosited)};
}

// The coded axis that becomes the upright one, turned round where the rotation does so.
// Clockwise by 90: upright x runs against coded y, upright y along coded x. Mirroring comes after.
SampleGrid upright_grid(const HalfGeometry& g, int plane, bool horizontal) {
  const bool swapped = g.rotate == 90 || g.rotate == 270;
  const bool along_width = horizontal != swapped;
  const bool turned = g.rotate == 180 || (g.rotate == 90 && horizontal) || (g.rotate == 270 && !horizontal);
  const bool against = turned != (g.mirrored && horizontal);
  const SampleGrid grid = coded_grid(g, plane, along_width);
  return against ? grid.reversed(along_width ? g.source.width : g.source.height) : grid;
}

SampleGrid output_grid(const HalfGeometry& g, int plane, bool horizontal) {
  const int luma = horizontal ? g.width : g.height;
  if (plane == 0 || g.full_chroma) return {luma, 1, 1};
  return {luma / 2, 2, half_phase(true, horizontal)};
}

void require_valid(const HalfGeometry& g) {
  const bool swapped = g.rotate == 90 || g.rotate == 270;
  const int width = swapped ? g.source.height : g.source.width;
  const int height = swapped ? g.source.width : g.source.height;
  const Crop& c = g.crop;
  const bool inside = width > 0 && height > 0 && c.x >= 0 && c.y >= 0 && c.width > 0 && c.height > 0 && c.width <= width - c.x &&
                      c.height <= height - c.y;
  const bool even = g.width > 0 && g.height > 0 && g.width % 2 == 0 && g.height % 2 == 0;
  if (inside && even && g.rotate % 90 == 0 && g.rotate >= 0 && g.rotate < 360) return;
  throw Error(Cause::unsupported, "crop",
              "a rectangle inside the upright " + std::to_string(width) + "x" + std::to_string(height) + " picture",
              std::to_string(c.width) + "x" + std::to_string(c.height) + "+" + std::to_string(c.x) + "+" +
                  std::to_string(c.y) + " turned by " + std::to_string(g.rotate),
              "correct `crop` or `rotate` in session.toml");
}

}  // namespace

std::array<PlaneFilter, 3> compose_filters(const HalfGeometry& geometry) {
  require_valid(geometry);
  std::array<PlaneFilter, 3> filters;
  for (int plane = 0; plane < 2; ++plane) {
    const Axis vertical{upright_grid(geometry, plane, false), geometry.crop.y, geometry.crop.height,
                        output_grid(geometry, plane, false), geometry.height};
    const Axis horizontal{upright_grid(geometry, plane, true), geometry.crop.x, geometry.crop.width,
                          output_grid(geometry, plane, true), geometry.width};
    filters[static_cast<std::size_t>(plane)] = {axis_filter(vertical), axis_filter(horizontal)};
  }
  filters[2] = filters[1];
  return filters;
}

}  // namespace emomedia
