// The color contract: one composed half, 4:4:4 with 12 bits, brought into the composite's colours.
//
// Every implementation gives the same bits. With u the three code values of a pixel (0 .. 4095) and the
// maps of color.h, where A(in)[r] = (sum over c of factor[r][c] * in[c] + offset[r] + 2^12) >> 13:
//
//   without a cube   o = to_output(u)
//   with one         v = clamp(to_cube(u), 0, 2^14), o = to_output(cube(v))
//
// o holds code values of 14 bits, unclamped. With d the output's depth:
//
//   luma             Y[y][x] = clamp((o0[y][x] + 2^(13-d)) >> (14-d), 0, 2^d - 1)
//   chroma           the sum over the rows 2j, 2j+1 of o[2i-1] + 2 o[2i] + o[2i+1], columns clamped to the
//                    half's edges: left-sited, as H.273 has it; C[j][i] = clamp((sum + 2^(16-d)) >> (17-d), …)
//
// cube(v) interpolates within tetrahedra: with n lattice points a side, p = v * (n-1), lattice point
// i = min(p >> 14, n-2) and the rest f = p - i * 2^14 a channel, and the channels a, b, c in descending
// order of f, each output channel is
//
//   (L * (2^14 - fa) + La * (fa - fb) + Lab * (fb - fc) + Labc * fc + 2^13) >> 14
//
// where L is the lattice's value at i, La one step further along a, and so on. Equal rests give the same
// result in either order.
//
// Ranges. require_valid() refuses factors and offsets whose sums could leave int32. Lattice values are
// int16 and weights sum to 2^14; |o| < 2^18, so chroma's sums fit as well.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "emomedia/color.h"

namespace emomedia {

inline constexpr int kColorDepth = 12;  // bits of the samples that compose hands over

struct ColorTask {
  std::array<const std::uint16_t*, 3> source{};
  std::ptrdiff_t source_stride = 0;    // samples
  int width = 0, height = 0;           // luma samples, even
  std::array<std::uint8_t*, 3> output{};
  std::array<std::ptrdiff_t, 3> output_stride{};  // bytes
  int output_depth = 8;
};

// Memory that the kernel uses; grown before the work by reserve(), never in it.
struct ColorScratch {
  std::vector<std::int32_t> rows;  // two rows of three channels

  void reserve(int width) { rows.resize(static_cast<std::size_t>(width) * 6); }
};

void color_half(const ColorTask& task, const ColorMap& map, ColorScratch& scratch) noexcept;

// Throws Error(unsupported) when a map's cube is not size^3 colours of 2 to 129 a side, or its sums could
// overflow.
void require_valid(const ColorMap& map);

}  // namespace emomedia
