// Lanczos-3 filter tables: made here and nowhere else, handed to every compose kernel as data.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "emomedia/frame.h"

namespace emomedia {

inline constexpr int kCoeffBits = 14;
inline constexpr int kCoeffOne = 1 << kCoeffBits;

// One axis of one plane: output sample o is the sum over t of
// coeff[o * taps + t] * source[start[o] + t].
//
// Every row of coefficients sums to exactly kCoeffOne. Taps that would lie beyond the crop are folded
// into the coefficient of its edge sample, so start[o] .. start[o] + taps - 1 always lies inside the
// plane and no kernel clamps. The sum of |coeff| of a row stays below 2 * kCoeffOne.
struct AxisFilter {
  int taps = 0;
  std::vector<std::int32_t> start;
  std::vector<std::int16_t> coeff;
  int first_source = 0;  // all rows together read source[first_source] .. source[end_source - 1]
  int end_source = 0;

  int size() const { return static_cast<int>(start.size()); }
};

// rows makes output rows from source rows (the vertical pass), cols output columns from source columns.
struct PlaneFilter {
  AxisFilter rows, cols;
};

// What one half of the composite shows: a crop of an upright picture, scaled to width x height of
// 4:2:0, left-sited, or of 4:4:4.
struct HalfGeometry {
  PictureFormat source;  // as coded
  Siting siting = Siting::left;
  int rotate = 0;         // degrees clockwise to upright: 0, 90, 180, 270
  bool mirrored = false;  // after turning, left and right change places
  Crop crop;              // upright luma pixels, inside the upright picture
  int width = 960;
  int height = 1080;
  bool full_chroma = false;  // 4:4:4 out, for the color kernel
};

// The three planes' tables. Throws Error(unsupported) when the crop does not lie in the picture.
std::array<PlaneFilter, 3> compose_filters(const HalfGeometry& geometry);

}  // namespace emomedia
