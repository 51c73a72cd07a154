// A geometry of compose: refused, or its tables read the crop and nothing else, and the kernels with them,
// which agree.
//
// Input: from its end backwards the numbers of the geometry; what is left of it are the pixels.
#include "kernels/compose.h"

#include <cstdlib>
#include <numeric>
#include <optional>
#include <vector>

#include "allocations.h"
#include "check.h"
#include "emomedia/error.h"

using namespace emomedia;

namespace {

constexpr int kMaxLength = 600;  // of an axis that is composed; its tables take length squared

// Mostly small, sometimes anything.
int length(fuzz::Tail& tail) {
  const unsigned kind = tail.byte();
  if (kind == 255) return static_cast<int>(tail.integer());
  return kind % 4 == 0 ? static_cast<std::int16_t>(tail.word()) : tail.byte();
}

HalfGeometry read_geometry(fuzz::Tail& tail) {
  HalfGeometry g;
  const unsigned flags = tail.byte();
  g.source.depth = (flags & 1) != 0 ? 10 : 8;
  g.source.sub_x = (flags & 2) != 0 ? 1 : 2;
  g.source.sub_y = (flags & 4) != 0 ? 1 : 2;
  g.siting = static_cast<Siting>((flags >> 3) % 3);
  g.rotate = (flags & 128) != 0 ? length(tail) : static_cast<int>((flags >> 5) % 4) * 90;
  g.source.width = length(tail);
  g.source.height = length(tail);
  g.crop = {length(tail), length(tail), length(tail), length(tail)};
  g.width = length(tail);
  g.height = length(tail);
  const unsigned more = tail.byte();
  g.mirrored = (more & 1) != 0;
  g.full_chroma = (more & 2) != 0;
  if ((more & 4) != 0) g.source.depth = 12;
  return g;
}

// Whether the tables of a valid geometry like this one fit a short run.
bool is_small(const HalfGeometry& g) {
  const auto small = [](int length) { return length <= kMaxLength; };
  return small(g.source.width) && small(g.source.height) && small(g.width) && small(g.height);
}

void check_axis(const AxisFilter& axis, int samples) {
  fuzz::require(axis.size() > 0 && axis.taps > 0, "an axis has rows and taps");
  fuzz::require(axis.coeff.size() == axis.start.size() * static_cast<std::size_t>(axis.taps), "a coefficient a tap");
  for (int o = 0; o < axis.size(); ++o) {
    const auto* row = axis.coeff.data() + static_cast<std::ptrdiff_t>(o) * axis.taps;
    const int start = axis.start[static_cast<std::size_t>(o)];
    fuzz::require(start >= 0 && start + axis.taps <= samples, "taps lie inside the plane");
    fuzz::require(start >= axis.first_source && start + axis.taps <= axis.end_source, "and inside what is read");
    fuzz::require(std::accumulate(row, row + axis.taps, 0) == kCoeffOne, "coefficients sum to one");
    const int sum = std::accumulate(row, row + axis.taps, 0, [](int s, int c) { return s + std::abs(c); });
    fuzz::require(sum < 2 * kCoeffOne, "and their sizes to less than two");
  }
}

void compose_plane(const HalfGeometry& g, int plane, const PlaneFilter& filter, fuzz::Tail& tail) {
  const int width = g.source.plane_width(plane), height = g.source.plane_height(plane);
  const int bytes = g.source.sample_bytes();
  const auto samples = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  std::vector<std::uint8_t> pixels(samples * static_cast<std::size_t>(bytes));
  for (std::size_t n = 0; n < samples; ++n) {
    const int value = tail.left() > 0 ? tail.byte() << (g.source.depth - 8) : static_cast<int>(n % 7) * 36;
    pixels[n * static_cast<std::size_t>(bytes)] = static_cast<std::uint8_t>(value);
    if (bytes == 2) pixels[n * 2 + 1] = static_cast<std::uint8_t>(value >> 8);
  }
  std::vector<std::uint8_t> output(static_cast<std::size_t>(filter.cols.size()) *
                                   static_cast<std::size_t>(filter.rows.size()));
  const PackedFilter packed = pack(filter, {g.rotate, g.mirrored}, width, height);
  std::vector<std::uint8_t> first;
  PlaneTask task;
  task.source = pixels.data();
  task.source_stride = static_cast<std::ptrdiff_t>(width) * bytes;
  task.depth = g.source.depth;
  task.filter = &packed;
  task.output = output.data();
  task.output_stride = filter.cols.size();
  ComposeScratch scratch;
  scratch.reserve(task);
  for (const ComposeKernels* kernels : runnable_compose_kernels()) {
    compose_plane(task, *kernels, scratch);
    if (kernels == runnable_compose_kernels().front()) first = output;
    fuzz::require(output == first, "instruction sets agree");
  }
}

void run(const HalfGeometry& g, fuzz::Tail& tail) {
  const std::array<PlaneFilter, 3> filters = compose_filters(g);
  const bool swapped = g.rotate % 180 != 0;
  for (int plane = 0; plane < 3; ++plane) {
    const PlaneFilter& filter = filters[static_cast<std::size_t>(plane)];
    const int width = g.source.plane_width(plane), height = g.source.plane_height(plane);
    check_axis(filter.cols, swapped ? height : width);
    check_axis(filter.rows, swapped ? width : height);
    compose_plane(g, plane, filter, tail);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Tail tail(data, size);
  const unsigned failing_allocation = tail.byte();
  const HalfGeometry geometry = read_geometry(tail);
  if (!is_small(geometry)) return 0;
  fuzz::allow_errors([&] {
    const fuzz::FailingAllocations failing(failing_allocation, std::size_t{1} << 30);
    run(geometry, tail);
  });
  return 0;
}
