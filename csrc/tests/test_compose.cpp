// The kernel against the contract written out plainly, on random and worst-case pixels, with padded
// strides and guarded outputs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/compose.h"

using namespace emomedia;

namespace {

constexpr std::uint8_t kGuard = 0xA5;

struct Plane {
  int width, height, depth;
  std::ptrdiff_t stride;
  std::vector<std::uint8_t> bytes;

  int at(int x, int y) const {
    const std::uint8_t* p = bytes.data() + y * stride + x * (depth > 8 ? 2 : 1);
    return depth > 8 ? p[0] | p[1] << 8 : p[0];
  }
};

enum class Pixels { random, extremes, top };

Plane make_plane(int width, int height, int depth, Pixels pixels, std::mt19937& random) {
  const int bytes = depth > 8 ? 2 : 1;
  Plane plane{width, height, depth, width * bytes + 6, {}};
  plane.bytes.assign(static_cast<std::size_t>(plane.stride * height), kGuard);
  const int top = (1 << depth) - 1;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      int value = top;
      if (pixels == Pixels::random) value = static_cast<int>(random() % static_cast<unsigned>(top + 1));
      if (pixels == Pixels::extremes) value = random() % 2 != 0 ? top : 0;
      std::uint8_t* p = plane.bytes.data() + y * plane.stride + x * bytes;
      p[0] = static_cast<std::uint8_t>(value);
      if (bytes == 2) p[1] = static_cast<std::uint8_t>(value >> 8);
    }
  }
  return plane;
}

int upright_sample(const Plane& plane, int rotate, int x, int y) {
  switch (rotate) {
    case 90: return plane.at(y, plane.height - 1 - x);
    case 180: return plane.at(plane.width - 1 - x, plane.height - 1 - y);
    case 270: return plane.at(plane.width - 1 - y, x);
    default: return plane.at(x, y);
  }
}

// How the plane is turned, and whether it is mirrored after that.
struct Orientation {
  int rotate;
  bool mirrored;
};

int upright_sample(const Plane& plane, const Orientation& o, int x, int y) {
  const int width = o.rotate % 180 == 0 ? plane.width : plane.height;
  return upright_sample(plane, o.rotate, o.mirrored ? width - 1 - x : x, y);
}

int expected(const Plane& plane, const Orientation& o, const PlaneFilter& filter, int i, int j, int out_depth) {
  std::int64_t sum = std::int64_t{1} << (27 - out_depth);
  for (int u = 0; u < filter.cols.taps; ++u) {
    const int x = filter.cols.start[static_cast<std::size_t>(i)] + u;
    std::int64_t column = std::int64_t{1} << (plane.depth - 1);
    for (int t = 0; t < filter.rows.taps; ++t) {
      const int y = filter.rows.start[static_cast<std::size_t>(j)] + t;
      column += filter.rows.coeff[static_cast<std::size_t>(j * filter.rows.taps + t)] *
                std::int64_t{upright_sample(plane, o, x, y)};
    }
    column >>= plane.depth;
    REQUIRE(column >= INT16_MIN);
    REQUIRE(column <= INT16_MAX);
    sum += filter.cols.coeff[static_cast<std::size_t>(i * filter.cols.taps + u)] * column;
  }
  return static_cast<int>(std::clamp<std::int64_t>(sum >> (28 - out_depth), 0, (1 << out_depth) - 1));
}

void check(int depth, int out_depth, const Orientation& o, const Crop& crop, Pixels pixels, std::mt19937& random) {
  HalfGeometry g;
  g.source = {61, 47, depth};
  g.rotate = o.rotate;
  g.mirrored = o.mirrored;
  g.crop = crop;
  g.width = 22;
  g.height = 18;
  const PlaneFilter filter = compose_filters(g)[0];
  const Plane plane = make_plane(61, 47, depth, pixels, random);
  const int out_bytes = out_depth > 8 ? 2 : 1;
  const std::ptrdiff_t out_stride = 22 * out_bytes + 10;
  std::vector<std::uint8_t> output(static_cast<std::size_t>(out_stride * 18), kGuard);
  PlaneTask task;
  task.source = upright(plane.bytes.data(), plane.stride, 61, 47, depth > 8 ? 2 : 1, o.rotate, o.mirrored);
  task.depth = depth;
  task.filter = &filter;
  task.output = output.data();
  task.output_stride = out_stride;
  task.output_depth = out_depth;
  ComposeScratch scratch;
  scratch.reserve(task);
  compose_kernels().plane(task, scratch);
  for (int j = 0; j < 18; ++j) {
    const std::uint8_t* row = output.data() + j * out_stride;
    for (int i = 0; i < 22; ++i) {
      const int found = out_bytes == 2 ? row[2 * i] | row[2 * i + 1] << 8 : row[i];
      REQUIRE(found == expected(plane, o, filter, i, j, out_depth));
    }
    for (std::ptrdiff_t b = 22 * out_bytes; b < out_stride; ++b) REQUIRE(row[b] == kGuard);
  }
}

}  // namespace

TEST_CASE("compose keeps its contract") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (const int depth : {8, 10, 12}) {
    for (const int out_depth : {8, 10, 12}) {
      for (const int rotate : {0, 90, 180, 270}) {
        const Orientation o{rotate, random() % 2 == 0};
        for (const Pixels pixels : {Pixels::random, Pixels::extremes, Pixels::top}) {
          check(depth, out_depth, o, {0, 0, 47, 47}, pixels, random);
          check(depth, out_depth, o, {3, 7, 40, 33}, pixels, random);
          check(depth, out_depth, o, {46, 46, 1, 1}, pixels, random);
        }
      }
    }
  }
}
