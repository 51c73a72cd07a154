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
constexpr int kFewestCols = 4, kFewestRows = 2;
constexpr int kUnitBytes = 16;  // that a thread reads at once
constexpr int kMostSquares = 4;  // that these are a part of

int group_of(int sample) { return sample / kGroup; }

// Where each output begins to read. None begins before the one that precedes it, though an output whose outermost
// coefficients round to 0 may: then both begin where it does.
std::vector<std::int32_t> first_groups(const AxisFilter& filter) {
  std::vector<std::int32_t> first;
  for (const std::int32_t start : filter.start) first.push_back(group_of(start));
  for (std::size_t n = first.size() - 1; n > 0; --n) first[n - 1] = std::min(first[n - 1], first[n]);
  return first;
}

// How many groups each of them reads, at the most.
int most_groups(const AxisFilter& filter, const std::vector<std::int32_t>& first) {
  int groups = 0;
  for (std::size_t output = 0; output < first.size(); ++output) {
    groups = std::max(groups, group_of(filter.start[output] + filter.taps - 1) + 1 - first[output]);
  }
  return groups;
}

// One output's coefficients from group `first` on.
std::vector<FourPairs> in_groups(const AxisFilter& filter, std::size_t output, int first, int groups) {
  std::vector<FourPairs> coeff(static_cast<std::size_t>(groups));
  for (int t = 0; t < filter.taps; ++t) {
    const std::int16_t value = filter.coeff[output * static_cast<std::size_t>(filter.taps) + static_cast<std::size_t>(t)];
    if (value == 0) continue;
    const int at = filter.start[output] + t - first * kGroup;
    FourPairs& four = coeff[static_cast<std::size_t>(at / kGroup)];
    const auto bits = static_cast<std::uint16_t>(value);
    four.low |= static_cast<std::uint32_t>(bits & 0xFF) << (8 * (at % kGroup));
    four.high |= static_cast<std::uint32_t>(bits >> 8) << (8 * (at % kGroup));
  }
  return coeff;
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

// Whether four outputs can be written as one word, or as two.
bool can_be_joined(const PlaneLaunch& plane) {
  const int bytes = plane.out_depth > 8 ? 2 : 1;
  const auto size = static_cast<unsigned>(kGroup * bytes);
  return plane.out_step == bytes && number_of(plane.out) % size == 0 && plane.out_stride % static_cast<int>(size) == 0;
}

int rounded_up(int count, int unit) { return parts(count, unit) * unit; }

int steps_of(const AxisTable& table, int from, int end) {
  return parts(table.first[end - 1] + table.groups - table.first[from], kStepGroups);
}

// Calls `see` with the first output of each tile of so many along an axis, the end of its outputs, and those of each of
// its blocks.
template <typename See>
void each_block(int outputs, int length, const See& see) {
  for (int from = 0; from < outputs; from += length) {
    const int end = std::min(from + length, outputs);
    for (int block = from; block < end; block += kBlock) see(from, end, block, std::min(block + kBlock, end));
  }
}

// Along one axis, the most groups that tiles of a length read, and beyond which one's place none of their blocks reads.
struct Room {
  int groups = 0, reach = 0;
};

Room room_of(const AxisTable& table, int outputs, int length, int unit, bool usual) {
  Room room;
  each_block(outputs, length, [&](int from, int end, int block, int block_end) {
    const int first = table.first[from] & -unit;
    room.groups = std::max(room.groups, table.first[end - 1] + table.groups - first);
    const int steps = usual ? kUsualSteps : steps_of(table, block, block_end);
    room.reach = std::max(room.reach, table.first[block] - first + steps * kStepGroups);
  });
  return room;
}

Room larger(const Room& a, const Room& b) { return {std::max(a.groups, b.groups), std::max(a.reach, b.reach)}; }

bool is_usual(const AxisTable& table, int outputs, int length) {
  int steps = 0;
  each_block(outputs, length, [&](int, int, int block, int end) { steps = std::max(steps, steps_of(table, block, end)); });
  return steps <= kUsualSteps;
}

int log2_of(int blocks) { return std::countr_zero(static_cast<unsigned>(std::max(blocks, 1))); }

// The least number that is not below `count` and leaves `rest` if divided by `by`.
int leaving(int count, int rest, int by) { return rounded_up(count - rest, by) + rest; }

}  // namespace

ComposePlan::ComposePlan(const HalfGeometry& geometry, int output_depth, const TileLimit& limit)
    : geometry_(geometry), output_depth_(output_depth) {
  const std::array<PlaneFilter, 3> filters = compose_filters(geometry);
  for (std::size_t p = 0; p < 2; ++p) {
    planes_[p] = {add_axis(filters[p].rows), add_axis(filters[p].cols)};
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

ComposePlan::Axis ComposePlan::add_axis(const AxisFilter& filter) {
  const std::vector<std::int32_t> first = first_groups(filter);
  const int groups = most_groups(filter, first);
  std::vector<FourPairs> coeff;
  for (std::size_t output = 0; output < first.size(); ++output) {
    const auto of_output = in_groups(filter, output, first[output], groups);
    coeff.insert(coeff.end(), of_output.begin(), of_output.end());
  }
  return {add(first), add(coeff), groups, filter.size()};
}

AxisTable ComposePlan::Axis::table(const std::uint8_t* tables) const {
  return {reinterpret_cast<const std::int32_t*>(tables + first), reinterpret_cast<const FourPairs*>(tables + coeff), groups};
}

// The memory for tiles of that size: as much as the one that reads most takes. How rows of it follow each other keeps
// threads that use it at a time apart: eight that store four words, or load from four groups of rows and eight columns.
TileShape ComposePlan::shape_of(int cols, int rows) const {
  TileShape shape;
  shape.cols = cols;
  shape.rows = rows;
  shape.row_blocks_log2 = log2_of(rows / kBlock);
  shape.col_blocks_log2 = log2_of(cols / kBlock);
  shape.byte_planes = geometry_.source.sample_bytes();
  const std::uint8_t* tables = tables_.data();
  shape.usual = std::all_of(planes_.begin(), planes_.end(), [&](const Plane& plane) {
    return is_usual(plane.rows.table(tables), plane.rows.outputs, rows) && is_usual(plane.cols.table(tables), plane.cols.outputs, cols);
  });
  const bool swapped = geometry_.rotate % 180 != 0;
  const int unit = kMostSquares / shape.byte_planes;  // squares that are read at once, at the most
  Room down, across;
  for (const Plane& plane : planes_) {
    down = larger(down, room_of(plane.rows.table(tables), plane.rows.outputs, rows, swapped ? unit : 1, shape.usual));
    across = larger(across, room_of(plane.cols.table(tables), plane.cols.outputs, cols, swapped ? 1 : unit, shape.usual));
  }
  shape.groups_along = swapped ? down.groups : across.groups;
  const int row_groups = std::max(rounded_up(down.groups, unit), down.reach);
  const int col_groups = rounded_up(across.groups, kBlock / kGroup);
  shape.word_stride = swapped ? leaving(row_groups, 4, 8) : leaving(col_groups * kGroup, 8, 16);
  shape.plane_words = shape.word_stride * (swapped ? col_groups * kGroup : row_groups);
  shape.t_stride = leaving(std::max(col_groups, across.reach), 4, 8);
  return shape;
}

TileShape ComposePlan::largest_shape(const TileLimit& limit) const {
  for (int cols = limit.cols; cols >= kFewestCols; cols /= 2) {
    for (int rows = limit.rows; rows >= std::max(kFewestRows, cols / 4); rows /= 2) {
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
    l.rows = plane.rows.table(tables);
    l.cols = plane.cols.table(tables);
    l.loading = split_of(parts(shape_.groups_along, unit));
    l.out = out.data[p];
    l.out_stride = out.stride[p];
    l.out_width = plane.cols.outputs;
    l.out_height = plane.rows.outputs;
    l.out_depth = output_depth_;
    l.out_step = (output_depth_ > 8 ? 2 : 1) * (out.p010 && p > 0 ? 2 : 1);
    l.out_shift = out.p010 ? 16 - output_depth_ : 0;
    l.out_joined = can_be_joined(l);
    l.tiles_across = parts(l.out_width, shape_.cols);
    l.tiles_down = parts(l.out_height, shape_.rows);
  }
  return launch;
}

}  // namespace emomedia::gpu
