#include "gpu/compose_plan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>

#include "emomedia/error.h"

namespace emomedia::gpu {
namespace {

constexpr std::size_t kAlignment = 16;
constexpr int kFewestCols = 4;
constexpr int kUnitBytes = 16;  // that a thread reads at once
constexpr int kMostSquares = 4;  // that these are a part of

std::int32_t pair_of(std::int16_t earlier, std::int16_t later) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint16_t>(later)) << 16 |
                                   static_cast<std::uint16_t>(earlier));
}

int group_of(int sample) { return sample / kGroup; }

// Where each `step` outputs begin to read. None begins before the one that precedes it, though an output whose
// outermost coefficients round to 0 may: then both begin where it does.
std::vector<std::int32_t> first_groups(const AxisFilter& filter, int step) {
  std::vector<std::int32_t> first;
  for (int output = 0; output < filter.size(); output += step) {
    const auto from = filter.start.begin() + output;
    first.push_back(group_of(*std::min_element(from, from + std::min(step, filter.size() - output))));
  }
  for (std::size_t n = first.size() - 1; n > 0; --n) first[n - 1] = std::min(first[n - 1], first[n]);
  return first;
}

// How many groups each of them reads, at the most.
int most_groups(const AxisFilter& filter, const std::vector<std::int32_t>& first, int step) {
  int groups = 0;
  for (int output = 0; output < filter.size(); ++output) {
    const int end = group_of(filter.start[static_cast<std::size_t>(output)] + filter.taps - 1) + 1;
    groups = std::max(groups, end - first[static_cast<std::size_t>(output / step)]);
  }
  return groups;
}

// One output's coefficients from group `first` on.
std::vector<std::int16_t> in_groups(const AxisFilter& filter, int output, int first, int groups) {
  std::vector<std::int16_t> coeff(static_cast<std::size_t>(groups) * kGroup, 0);
  const std::int16_t* taps = filter.coeff.data() + static_cast<std::ptrdiff_t>(output) * filter.taps;
  const int offset = filter.start[static_cast<std::size_t>(output)] - first * kGroup;
  for (int t = 0; t < filter.taps; ++t) {
    if (taps[t] != 0) coeff[static_cast<std::size_t>(offset + t)] = taps[t];
  }
  return coeff;
}

std::int32_t pair_at(const std::vector<std::int16_t>& coeff, int group, int half) {
  const auto at = static_cast<std::size_t>(group * kGroup + 2 * half);
  return pair_of(coeff[at], coeff[at + 1]);
}

Split split_of(int width) {
  return {width, static_cast<std::uint32_t>((65536 + width - 1) / width), kThreads % width, kThreads / width};
}

// Where the samples of an upright plane lie.
struct Steps {
  const std::uint8_t* first;
  std::ptrdiff_t across, down;
  int width, height;  // upright
};

Steps steps_of(const SourcePlane& plane, int width, int height, int rotate, bool mirrored) {
  const std::ptrdiff_t right = (width - 1) * static_cast<std::ptrdiff_t>(plane.step), bottom = (height - 1) * plane.stride;
  Steps steps{plane.data, plane.step, plane.stride, width, height};
  switch (rotate) {
    case 90: steps = {plane.data + bottom, -plane.stride, plane.step, height, width}; break;
    case 180: steps = {plane.data + bottom + right, -plane.step, -plane.stride, width, height}; break;
    case 270: steps = {plane.data + right, plane.stride, -plane.step, height, width}; break;
    default: break;
  }
  if (mirrored) {
    steps.first += (steps.width - 1) * steps.across;
    steps.across = -steps.across;
  }
  return steps;
}

std::uintptr_t number_of(const std::uint8_t* address) { return reinterpret_cast<std::uintptr_t>(address); }

// How samples along memory are read, sixteen bytes at once, and from where: a step of 0 where they do not lie as that
// needs. `along` is the way from one to the next, `other` the way to the next row of memory.
std::pair<Gather, const std::uint8_t*> gather_of(const std::uint8_t* first, std::ptrdiff_t along, std::ptrdiff_t other,
                                                 int sample_bytes) {
  const bool reversed = along < 0;
  const int step = static_cast<int>(reversed ? -along : along);
  const bool known = (step == 1 && sample_bytes == 1) || step == 2 || (step == 4 && sample_bytes == 2);
  if (!known || other % kUnitBytes != 0) return {{}, nullptr};
  const std::uint8_t* lowest = reversed ? first - (kUnitBytes - step) : first;
  const auto offset = static_cast<int>(number_of(lowest) % static_cast<unsigned>(step));  // V's in NV12
  const std::uint8_t* at = lowest - offset;
  if (number_of(at) % kUnitBytes != 0) return {{}, nullptr};
  switch (step) {
    case 1: return {{1, 0, reversed ? 0x0123U : 0x3210U, 0}, at};
    case 2: {
      const std::uint32_t even = reversed ? 0x0246 : 0x6420, odd = reversed ? 0x1357 : 0x7531;
      return {{2, 0, offset == 0 ? even : odd, odd}, at};
    }
    default:
      return {{4, offset == 0 ? 0x5140U : 0x7362U, reversed ? 0x0145U : 0x5410U, reversed ? 0x2367U : 0x7632U}, at};
  }
}

// Groups that are loaded for `groups` of them at the most, where as many as `unit` are read at once.
int loaded(int groups, int unit) { return (groups + 2 * (unit - 1)) / unit * unit; }

}  // namespace

ComposePlan::ComposePlan(const HalfGeometry& geometry, int output_depth, const TileLimit& limit)
    : geometry_(geometry), output_depth_(output_depth) {
  const std::array<PlaneFilter, 3> filters = compose_filters(geometry);
  for (std::size_t p = 0; p < 2; ++p) {
    planes_[p] = {add_rows(filters[p].rows), add_cols(filters[p].cols), filters[p].cols.size(), filters[p].rows.size()};
  }
  planes_[2] = planes_[1];
  shape_ = largest_shape(limit);
}

template <typename Value>
std::size_t ComposePlan::add(const std::vector<Value>& values) {
  const std::size_t at = (tables_.size() + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t bytes = values.size() * sizeof(Value);
  tables_.resize(at + bytes);
  std::memcpy(tables_.data() + at, values.data(), bytes);
  return at;
}

ComposePlan::Axis ComposePlan::add_rows(const AxisFilter& filter) {
  const std::vector<std::int32_t> first = first_groups(filter, kRowsABand);
  Axis axis;
  axis.groups = most_groups(filter, first, kRowsABand);
  const std::vector<std::int16_t> none(static_cast<std::size_t>(axis.groups) * kGroup, 0);
  std::vector<PairOfFour> coeff;
  for (int row = 0; row < filter.size(); row += kRowsABand) {
    const std::int32_t from = first[static_cast<std::size_t>(row / kRowsABand)];
    const auto upper = in_groups(filter, row, from, axis.groups);
    const auto lower = row + 1 < filter.size() ? in_groups(filter, row + 1, from, axis.groups) : none;
    for (int g = 0; g < axis.groups; ++g) {
      coeff.push_back({pair_at(upper, g, 0), pair_at(upper, g, 1), pair_at(lower, g, 0), pair_at(lower, g, 1)});
    }
  }
  axis.first = add(first);
  axis.coeff = add(coeff);
  return axis;
}

ComposePlan::Axis ComposePlan::add_cols(const AxisFilter& filter) {
  const std::vector<std::int32_t> first = first_groups(filter, 1);
  Axis axis;
  axis.groups = most_groups(filter, first, 1);
  std::vector<PairOfTwo> coeff;
  for (int output = 0; output < filter.size(); ++output) {
    const auto taps = in_groups(filter, output, first[static_cast<std::size_t>(output)], axis.groups);
    for (int g = 0; g < axis.groups; ++g) coeff.push_back({pair_at(taps, g, 0), pair_at(taps, g, 1)});
  }
  axis.first = add(first);
  axis.coeff = add(coeff);
  return axis;
}

const std::int32_t* ComposePlan::first_of(const Axis& axis) const {
  return reinterpret_cast<const std::int32_t*>(tables_.data() + axis.first);
}

// The memory for tiles of that size: as much as the one that reads most takes.
TileShape ComposePlan::shape_of(int cols, int rows) const {
  TileShape shape;
  shape.cols = cols;
  shape.rows = rows;
  shape.byte_planes = geometry_.source.sample_bytes();
  for (std::size_t p = 0; p < 2; ++p) {
    const Plane& plane = planes_[p];
    const auto most = [](const std::int32_t* first, int size, int length, int groups) {
      int count = 0;
      for (int from = 0; from < size; from += length) {
        count = std::max(count, first[std::min(from + length, size) - 1] + groups - first[from]);
      }
      return count;
    };
    shape.table_groups = std::max(shape.table_groups, plane.rows.groups);
    const int bands = (plane.out_height + kRowsABand - 1) / kRowsABand;
    shape.row_groups =
        std::max(shape.row_groups, most(first_of(plane.rows), bands, rows / kRowsABand, plane.rows.groups));
    shape.col_groups = std::max(shape.col_groups, most(first_of(plane.cols), plane.out_width, cols, plane.cols.groups));
  }
  const bool swapped = geometry_.rotate % 180 != 0;
  const int unit = kMostSquares / shape.byte_planes;  // squares that are read at once, at the most
  shape.word_rows = swapped ? loaded(shape.row_groups, unit) : shape.row_groups;
  const int cols_there = swapped ? shape.col_groups : loaded(shape.col_groups, unit);
  // An odd number of fours: words of one column in eight neighbouring groups fall on different banks.
  shape.word_stride = ((cols_there * kGroup + 3) / 8 * 2 + 1) * 4;
  shape.t_stride = shape.col_groups | 1;
  shape.cols_log2 = std::countr_zero(static_cast<unsigned>(cols));
  shape.filtering = split_of(shape.col_groups);
  return shape;
}

TileShape ComposePlan::largest_shape(const TileLimit& limit) const {
  for (int cols = limit.cols; cols >= kFewestCols; cols /= 2) {
    for (int rows = limit.rows; rows >= std::max(kRowsABand, cols / 4); rows /= 2) {
      const TileShape shape = shape_of(cols, rows);
      if (shape.bytes() <= kMostShared) return shape;
    }
  }
  throw Error(Cause::device, "composing on the GPU", "pictures at most some twenty times as small as what they show",
              std::to_string(geometry_.crop.width) + "x" + std::to_string(geometry_.crop.height) + " to " +
                  std::to_string(geometry_.width) + "x" + std::to_string(geometry_.height),
              "choose a larger size, or let the cores do it");
}

HalfLaunch ComposePlan::launch(const SourcePicture& source, const MutablePicture& out, const std::uint8_t* tables) const {
  HalfLaunch launch;
  launch.shape = shape_;
  launch.samples = source.format.depth == 8 ? Samples::bytes : source.shift > 0 ? Samples::upper : Samples::words;
  launch.swapped = geometry_.rotate % 180 != 0;
  launch.usual = true;
  for (std::size_t p = 0; p < 3; ++p) {
    const Plane& plane = planes_[p];
    const int number = static_cast<int>(p);
    const Steps steps = steps_of(source.plane[p], source.format.plane_width(number), source.format.plane_height(number),
                                 geometry_.rotate, geometry_.mirrored);
    PlaneLaunch& l = launch.plane[p];
    l.source = steps.first;
    l.across = steps.across;
    l.down = steps.down;
    l.source_width = steps.width;
    l.source_height = steps.height;
    l.t_shift = source.format.depth + source.shift;
    std::tie(l.gather, l.gathered) = launch.swapped
                                         ? gather_of(steps.first, steps.down, steps.across, source.format.sample_bytes())
                                         : gather_of(steps.first, steps.across, steps.down, source.format.sample_bytes());
    const int unit = l.gather.step == 0 ? 1 : kMostSquares / l.gather.step;
    (launch.swapped ? l.unit_rows : l.unit_cols) = unit;
    l.loading = split_of(loaded(launch.swapped ? shape_.row_groups : shape_.col_groups, unit) / unit);
    l.rows = {reinterpret_cast<const std::int32_t*>(tables + plane.rows.first),
              reinterpret_cast<const PairOfFour*>(tables + plane.rows.coeff), plane.rows.groups};
    l.cols = {reinterpret_cast<const std::int32_t*>(tables + plane.cols.first),
              reinterpret_cast<const PairOfTwo*>(tables + plane.cols.coeff), plane.cols.groups};
    launch.usual = launch.usual && plane.rows.groups == kUsualGroups && plane.cols.groups == kUsualGroups;
    l.out = out.data[p];
    l.out_stride = out.stride[p];
    l.out_width = plane.out_width;
    l.out_height = plane.out_height;
    l.out_depth = output_depth_;
    l.out_step = (output_depth_ > 8 ? 2 : 1) * (out.p010 && p > 0 ? 2 : 1);
    l.out_shift = out.p010 ? 16 - output_depth_ : 0;
    l.tiles_across = (plane.out_width + shape_.cols - 1) / shape_.cols;
    l.tiles_down = (plane.out_height + shape_.rows - 1) / shape_.rows;
  }
  return launch;
}

}  // namespace emomedia::gpu
