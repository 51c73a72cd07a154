// From a take's colours to the composite's: plain numbers, made outside, used by the color kernel.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace emomedia {

// out[r] = (sum over c of factor[r][c] * in[c] + offset[r] + half) >> 13, in the units of the color
// kernel's contract (kernels/color.h). Offsets are scaled by 2^13 as the factors are.
struct AffineMap {
  std::array<std::array<std::int32_t, 3>, 3> factor{};
  std::array<std::int32_t, 3> offset{};
};

// A lattice of size^3 colours over the unit cube, red fastest; each channel in units of 2^-14.
struct ColorCube {
  int size = 0;
  std::vector<std::int16_t> values;  // size^3 * 3
};

// Either one map of Y'CbCr to Y'CbCr, or by way of a cube of R'G'B' that the user gave.
struct ColorMap {
  struct ByCube {
    AffineMap to_cube;
    ColorCube cube;
  };
  std::optional<ByCube> by_cube;
  AffineMap to_output;
};

}  // namespace emomedia
