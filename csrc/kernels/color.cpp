// The color contract in plain C++.
#include "kernels/color.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>

#include "emomedia/error.h"

namespace emomedia {
namespace {

using Triple = std::array<std::int32_t, 3>;

constexpr int kFactorBits = 13;
constexpr int kUnitBits = 14;
constexpr std::int32_t kUnit = 1 << kUnitBits;
constexpr int kLargestCube = 129;

// Not "apply": a Triple is of std, whose own function of that name would be the better match.
Triple affine(const AffineMap& map, const Triple& in) {
  Triple out;
  for (std::size_t r = 0; r < 3; ++r) {
    const auto& factor = map.factor[r];
    const std::int32_t sum = factor[0] * in[0] + factor[1] * in[1] + factor[2] * in[2] + map.offset[r];
    out[r] = (sum + (1 << (kFactorBits - 1))) >> kFactorBits;
  }
  return out;
}

// A step along one axis of the lattice and how far the colour lies along it.
struct Along {
  std::int32_t rest;
  std::ptrdiff_t step;
};

Triple look_up(const ColorCube& cube, const Triple& v) {
  const int n = cube.size;
  std::array<Along, 3> along;
  std::ptrdiff_t at = 0, step = 3;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const std::int32_t position = v[channel] * (n - 1);
    const std::int32_t point = std::min(position >> kUnitBits, n - 2);
    along[channel] = {position - (point << kUnitBits), step};
    at += point * step;
    step *= n;
  }
  if (along[0].rest < along[1].rest) std::swap(along[0], along[1]);
  if (along[1].rest < along[2].rest) std::swap(along[1], along[2]);
  if (along[0].rest < along[1].rest) std::swap(along[0], along[1]);
  const std::int16_t* l = cube.values.data() + at;
  const std::int16_t* la = l + along[0].step;
  const std::int16_t* lab = la + along[1].step;
  const std::int16_t* labc = lab + along[2].step;
  Triple out;
  for (std::size_t k = 0; k < 3; ++k) {
    const std::int32_t sum = l[k] * (kUnit - along[0].rest) + la[k] * (along[0].rest - along[1].rest) +
                             lab[k] * (along[1].rest - along[2].rest) + labc[k] * along[2].rest;
    out[k] = (sum + kUnit / 2) >> kUnitBits;
  }
  return out;
}

Triple converted(const ColorMap& map, const Triple& code) {
  if (!map.by_cube) return affine(map.to_output, code);
  Triple v = affine(map.by_cube->to_cube, code);
  for (std::int32_t& channel : v) channel = std::clamp(channel, 0, kUnit);
  return affine(map.to_output, look_up(map.by_cube->cube, v));
}

template <typename Out>
Out rounded(std::int32_t value, int shift, int depth) {
  return static_cast<Out>(std::clamp((value + (1 << (shift - 1))) >> shift, 0, (1 << depth) - 1));
}

// Two rows of one channel of o.
struct Rows {
  const std::int32_t* upper;
  const std::int32_t* lower;

  std::int32_t sum(int x) const { return upper[x] + lower[x]; }
};

template <typename Out>
void write_luma(const std::int32_t* row, int width, int depth, Out* out) {
  for (int x = 0; x < width; ++x) out[x] = rounded<Out>(row[x], kUnitBits - depth, depth);
}

template <typename Out>
void write_chroma(const Rows& rows, int width, int depth, Out* out) {
  for (int i = 0; i < width / 2; ++i) {
    const int x = 2 * i;
    const std::int32_t sum = rows.sum(std::max(x - 1, 0)) + 2 * rows.sum(x) + rows.sum(x + 1);
    out[i] = rounded<Out>(sum, kUnitBits + 3 - depth, depth);
  }
}

template <typename Out>
void color_rows(const ColorTask& task, const ColorMap& map, ColorScratch& scratch) {
  const auto width = static_cast<std::size_t>(task.width);
  const auto row_of = [&](std::size_t channel, std::size_t row) {
    return scratch.rows.data() + (2 * channel + row) * width;
  };
  const auto out_row = [&](std::size_t plane, int y) {
    return reinterpret_cast<Out*>(task.output[plane] + y * task.output_stride[plane]);
  };
  for (int y = 0; y < task.height; y += 2) {
    for (std::size_t row = 0; row < 2; ++row) {
      const std::ptrdiff_t first = (y + static_cast<int>(row)) * task.source_stride;
      for (std::size_t x = 0; x < width; ++x) {
        const auto place = first + static_cast<std::ptrdiff_t>(x);
        const Triple o = converted(map, {task.source[0][place], task.source[1][place], task.source[2][place]});
        for (std::size_t channel = 0; channel < 3; ++channel) row_of(channel, row)[x] = o[channel];
      }
      write_luma(row_of(0, row), task.width, task.output_depth, out_row(0, y + static_cast<int>(row)));
    }
    for (std::size_t plane = 1; plane < 3; ++plane) {
      write_chroma(Rows{row_of(plane, 0), row_of(plane, 1)}, task.width, task.output_depth, out_row(plane, y / 2));
    }
  }
}

void require_sums_fit(const AffineMap& map, std::int64_t largest) {
  for (std::size_t r = 0; r < 3; ++r) {
    std::int64_t sum = std::abs(std::int64_t{map.offset[r]}) + (1 << (kFactorBits - 1));
    for (const std::int32_t factor : map.factor[r]) sum += std::abs(std::int64_t{factor}) * largest;
    if (sum <= std::numeric_limits<std::int32_t>::max()) continue;
    throw Error(Cause::unsupported, "colour conversion", "factors whose sums fit 32 bits", std::to_string(sum),
                "give a .cube file with a wider domain");
  }
}

}  // namespace

void color_half(const ColorTask& task, const ColorMap& map, ColorScratch& scratch) noexcept {
  if (task.output_depth > 8) {
    color_rows<std::uint16_t>(task, map, scratch);
  } else {
    color_rows<std::uint8_t>(task, map, scratch);
  }
}

void require_valid(const ColorMap& map) {
  constexpr std::int64_t kLargestCode = (1 << kColorDepth) - 1;
  constexpr std::int64_t kLargestLattice = 1 << 15;
  require_sums_fit(map.to_output, map.by_cube ? kLargestLattice : kLargestCode);
  if (!map.by_cube) return;
  require_sums_fit(map.by_cube->to_cube, kLargestCode);
  const ColorCube& cube = map.by_cube->cube;
  const auto n = static_cast<std::size_t>(std::max(cube.size, 0));
  if (cube.size >= 2 && cube.size <= kLargestCube && cube.values.size() == n * n * n * 3) return;
  throw Error(Cause::unsupported, "lut", "2 to 129 points a side, three values each",
              std::to_string(cube.size) + " a side, " + std::to_string(cube.values.size()) + " values",
              "give another .cube file");
}

}  // namespace emomedia
