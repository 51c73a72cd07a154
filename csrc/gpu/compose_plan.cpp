#include "gpu/compose_plan.h"

#include <cstring>
#include <tuple>
#include <utility>

namespace emomedia::gpu {
namespace {

constexpr std::size_t kAlignment = 16;
constexpr int kUnitBytes = 16;  // that a thread reads at once

Split split_of(int width) {
  return {width, static_cast<std::uint32_t>((65536 + width - 1) / width), kThreads % width, kThreads / width};
}

// Where the samples of an upright plane lie.
struct UprightPlane {
  const std::uint8_t* first;
  std::ptrdiff_t across, down;
  int width, height;  // upright
};

UprightPlane upright(const SourcePlane& plane, int width, int height, int rotate, bool mirrored) {
  const std::ptrdiff_t right = (width - 1) * static_cast<std::ptrdiff_t>(plane.step), bottom = (height - 1) * plane.stride;
  UprightPlane up{plane.data, plane.step, plane.stride, width, height};
  switch (rotate) {
    case 90: up = {plane.data + bottom, -plane.stride, plane.step, height, width}; break;
    case 180: up = {plane.data + bottom + right, -plane.step, -plane.stride, width, height}; break;
    case 270: up = {plane.data + right, plane.stride, -plane.step, height, width}; break;
    default: break;
  }
  if (mirrored) {
    up.first += (up.width - 1) * up.across;
    up.across = -up.across;
  }
  return up;
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
    case 1: return {{1, 0, reversed ? 0x6273U : 0x5140U, reversed ? 0x4051U : 0x7362U}, at};
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

void set_source(PlaneLaunch& l, const UprightPlane& up, int sample_bytes, bool swapped) {
  l.source = up.first;
  l.across = static_cast<int>(up.across);
  l.down = static_cast<int>(up.down);
  l.source_width = up.width;
  l.source_height = up.height;
  const std::ptrdiff_t along = swapped ? up.down : up.across, other = swapped ? up.across : up.down;
  std::tie(l.gather, l.gathered) = gather_of(up.first, along, other, sample_bytes);
  (swapped ? l.unit_rows : l.unit_cols) = l.gather.step == 0 ? 1 : kMostSquares / l.gather.step;
}

void set_output(PlaneLaunch& l, const MutablePicture& out, std::size_t p, int depth) {
  l.out = out.data[p];
  l.out_stride = static_cast<int>(out.stride[p]);
  l.out_depth = depth;
  l.out_step = (depth > 8 ? 2 : 1) * (out.p010 && p > 0 ? 2 : 1);
  l.out_shift = out.p010 ? 16 - depth : 0;
  l.out_joined = can_be_joined(l);
}

}  // namespace

ComposePlan::ComposePlan(const HalfGeometry& geometry, int output_depth, const TileLimit& limit)
    : geometry_(geometry), output_depth_(output_depth) {
  const std::array<PlaneFilter, 3> filters = compose_filters(geometry);
  shape_ = largest_shape(filters, geometry, limit.cols, limit.rows, kMostShared);
  for (std::size_t p = 0; p < 2; ++p) {
    planes_[p] = {add_axis(filters[p].rows, shape_.rows, Side::left), add_axis(filters[p].cols, shape_.cols, Side::right)};
  }
  planes_[2] = planes_[1];
}

template <typename Value>
std::size_t ComposePlan::add(const std::vector<Value>& values) {
  const std::size_t at = (tables_.size() + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t bytes = values.size() * sizeof(Value);
  tables_.resize(at + bytes);
  std::memcpy(tables_.data() + at, values.data(), bytes);
  return at;
}

ComposePlan::Axis ComposePlan::add_axis(const AxisFilter& filter, int length, Side side) {
  std::vector<AxisBlock> blocks = blocks_of(filter, length, side);
  const std::size_t coeff = add(coefficients_of(filter, length, side, blocks));
  return {add(blocks), coeff, static_cast<int>(blocks.size()), filter.size()};
}

AxisTable ComposePlan::Axis::table(const std::uint8_t* tables) const {
  return {reinterpret_cast<const AxisBlock*>(tables + block), reinterpret_cast<const FourWords*>(tables + coeff), blocks};
}

HalfLaunch ComposePlan::launch(const SourcePicture& source, const MutablePicture& out, const std::uint8_t* tables) const {
  HalfLaunch launch;
  launch.shape = shape_;
  launch.samples = source.format.depth == 8 ? Samples::bytes : source.shift > 0 ? Samples::upper : Samples::words;
  launch.swapped = geometry_.rotate % 180 != 0;
  for (std::size_t p = 0; p < 3; ++p) {
    const Plane& plane = planes_[p];
    const int number = static_cast<int>(p);
    PlaneLaunch& l = launch.plane[p];
    const UprightPlane up = upright(source.plane[p], source.format.plane_width(number), source.format.plane_height(number),
                                    geometry_.rotate, geometry_.mirrored);
    set_source(l, up, source.format.sample_bytes(), launch.swapped);
    l.loading = split_of(parts(shape_.groups_along, l.unit_rows * l.unit_cols));
    l.t_shift = source.format.depth + source.shift;
    l.rows = plane.rows.table(tables);
    l.cols = plane.cols.table(tables);
    set_output(l, out, p, output_depth_);
    l.out_width = plane.cols.outputs;
    l.out_height = plane.rows.outputs;
    l.tiles_across = parts(l.out_width, shape_.cols);
    l.tiles_down = parts(l.out_height, shape_.rows);
  }
  return launch;
}

}  // namespace emomedia::gpu
