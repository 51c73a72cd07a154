// The color kernel against its contract written out in 64 bits, on random and worst-case pixels, with
// guarded outputs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "emomedia/error.h"
#include "kernels/color.h"

using namespace emomedia;

namespace {

constexpr std::uint8_t kGuard = 0xA5;
constexpr int kWidth = 10, kHeight = 6;

using Triple = std::array<std::int64_t, 3>;
using Planes = std::array<std::vector<std::uint16_t>, 3>;

AffineMap random_affine(int largest, std::mt19937& random) {
  std::uniform_int_distribution<std::int32_t> factor(-largest, largest), offset(-(1 << 26), 1 << 26);
  AffineMap map;
  for (auto& row : map.factor) std::ranges::generate(row, [&] { return factor(random); });
  std::ranges::generate(map.offset, [&] { return offset(random); });
  return map;
}

ColorMap random_map(int cube_size, std::mt19937& random) {
  ColorMap map;
  map.to_output = random_affine(cube_size > 0 ? 1 << 13 : 1 << 16, random);
  if (cube_size == 0) return map;
  map.by_cube.emplace();
  map.by_cube->to_cube = random_affine(1 << 16, random);
  map.by_cube->cube.size = cube_size;
  map.by_cube->cube.values.resize(static_cast<std::size_t>(cube_size * cube_size * cube_size * 3));
  std::uniform_int_distribution<int> value(INT16_MIN, INT16_MAX);
  std::ranges::generate(map.by_cube->cube.values, [&] { return static_cast<std::int16_t>(value(random)); });
  return map;
}

Triple applied(const AffineMap& map, const Triple& in) {
  Triple out;
  for (std::size_t r = 0; r < 3; ++r) {
    std::int64_t sum = map.offset[r] + (1 << 12);
    for (std::size_t c = 0; c < 3; ++c) sum += std::int64_t{map.factor[r][c]} * in[c];
    REQUIRE(sum >= INT32_MIN);
    REQUIRE(sum <= INT32_MAX);
    out[r] = sum >> 13;
  }
  return out;
}

Triple looked_up(const ColorCube& cube, Triple v) {
  std::array<std::int64_t, 3> point, rest;
  std::array<std::size_t, 3> order{0, 1, 2};
  for (std::size_t k = 0; k < 3; ++k) {
    const std::int64_t place = std::clamp<std::int64_t>(v[k], 0, 1 << 14) * (cube.size - 1);
    point[k] = std::min<std::int64_t>(place >> 14, cube.size - 2);
    rest[k] = place - (point[k] << 14);
  }
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return rest[a] > rest[b]; });
  const auto at = [&](std::size_t k) {
    return std::int64_t{cube.values.at(
        static_cast<std::size_t>(((point[2] * cube.size + point[1]) * cube.size + point[0]) * 3) + k)};
  };
  Triple out{1 << 13, 1 << 13, 1 << 13};
  std::int64_t before = 1 << 14;
  for (std::size_t step = 0; step < 4; ++step) {
    const std::int64_t after = step < 3 ? rest[order[step]] : 0;
    for (std::size_t k = 0; k < 3; ++k) out[k] += (before - after) * at(k);
    before = after;
    if (step < 3) ++point[order[step]];
  }
  for (auto& channel : out) channel >>= 14;
  return out;
}

struct Expected {
  const ColorMap& map;
  const Planes& planes;
  int depth;

  std::int64_t code(int x, int y, std::size_t channel) const {
    const auto place = static_cast<std::size_t>(y * kWidth + std::clamp(x, 0, kWidth - 1));
    Triple colour{planes[0][place], planes[1][place], planes[2][place]};
    if (map.by_cube) colour = looked_up(map.by_cube->cube, applied(map.by_cube->to_cube, colour));
    return applied(map.to_output, colour)[channel];
  }
  std::int64_t rounded(std::int64_t value, int shift) const {
    return std::clamp<std::int64_t>((value + (1 << (shift - 1))) >> shift, 0, (1 << depth) - 1);
  }
  std::int64_t luma(int x, int y) const { return rounded(code(x, y, 0), 14 - depth); }
  std::int64_t chroma(int i, int j, std::size_t plane) const {
    std::int64_t sum = 0;
    for (const int y : {2 * j, 2 * j + 1}) {
      sum += code(2 * i - 1, y, plane) + 2 * code(2 * i, y, plane) + code(2 * i + 1, y, plane);
    }
    return rounded(sum, 17 - depth);
  }
};

Planes random_planes(bool extremes, std::mt19937& random) {
  Planes planes;
  for (auto& plane : planes) {
    plane.resize(kWidth * kHeight);
    std::ranges::generate(plane, [&] {
      return static_cast<std::uint16_t>(extremes ? (random() % 2) * 4095 : random() % 4096);
    });
  }
  return planes;
}

void check_plane(const std::vector<std::uint8_t>& bytes, std::ptrdiff_t stride, int width, int height, int depth,
                 const auto& expected) {
  const int size = depth > 8 ? 2 : 1;
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* row = bytes.data() + y * stride;
    for (int x = 0; x < width; ++x) {
      const int found = size == 2 ? row[2 * x] | row[2 * x + 1] << 8 : row[x];
      REQUIRE(found == expected(x, y));
    }
    for (std::ptrdiff_t b = width * size; b < stride; ++b) REQUIRE(row[b] == kGuard);
  }
}

void check(const ColorMap& map, int depth, bool extremes, std::mt19937& random) {
  const Planes planes = random_planes(extremes, random);
  const std::ptrdiff_t stride = kWidth * 2 + 6;
  std::array<std::vector<std::uint8_t>, 3> output;
  ColorTask task;
  task.source_stride = kWidth;
  task.width = kWidth;
  task.height = kHeight;
  task.output_depth = depth;
  for (std::size_t p = 0; p < 3; ++p) {
    output[p].assign(static_cast<std::size_t>(stride) * kHeight, kGuard);
    task.source[p] = planes[p].data();
    task.output[p] = output[p].data();
    task.output_stride[p] = stride;
  }
  ColorScratch scratch;
  scratch.reserve(kWidth);
  require_valid(map);
  color_half(task, map, scratch);
  const Expected expected{map, planes, depth};
  check_plane(output[0], stride, kWidth, kHeight, depth, [&](int x, int y) { return expected.luma(x, y); });
  for (const std::size_t p : {1U, 2U}) {
    check_plane(output[p], stride, kWidth / 2, kHeight / 2, depth,
                [&](int i, int j) { return expected.chroma(i, j, p); });
  }
}

}  // namespace

TEST_CASE("color keeps its contract") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (const int depth : {8, 10}) {
    for (const int cube_size : {0, 2, 3, 17}) {
      for (int n = 0; n < 10; ++n) check(random_map(cube_size, random), depth, n % 2 == 0, random);
    }
  }
}

TEST_CASE("maps that could overflow and cubes of no size are refused") {
  std::mt19937 random(1);
  ColorMap map = random_map(3, random);
  require_valid(map);
  map.by_cube->cube.values.pop_back();
  CHECK_THROWS_AS(require_valid(map), Error);
  map = random_map(2, random);
  map.by_cube->cube.size = 1;
  CHECK_THROWS_AS(require_valid(map), Error);
  map = random_map(0, random);
  map.to_output.factor[1][2] = 1 << 19;
  CHECK_THROWS_AS(require_valid(map), Error);
  map = random_map(2, random);
  map.by_cube->to_cube.offset[0] = INT32_MIN;
  CHECK_THROWS_AS(require_valid(map), Error);
}
