// The compose contract: one take's plane, turned upright, cropped and scaled into its half.
//
// Every implementation (NumPy reference, scalar, SIMD, CUDA) gives the same bits. With P the upright
// source plane of `depth` bits and the tables of filter.h:
//
//   vertical pass    T[j][x] = (sum_t rows.coeff[j][t] * P[rows.start[j] + t][x] + 2^(depth-1)) >> depth
//   horizontal pass  O[j][i] = clamp((sum_t cols.coeff[i][t] * T[j][cols.start[i] + t] + 2^(s-1)) >> s,
//                                    0, 2^out_depth - 1),          s = 28 - out_depth
//
// Ranges. T is in units of 1/64 of an 8-bit code value whatever the source's depth: 6 fraction bits
// for 8-bit sources, 4 for 10-bit ones, 2 for 12-bit ones. With sum |coeff| <= 1.54 * 2^14 (Lanczos-3
// at half phase; 1.36 at 2.25x) |T| <= 1.54 * 16380 < 2^15, so T fits int16; 7 fraction bits would not.
// The vertical sum is at most 1.54 * 2^14 * 4095 < 2^27, the horizontal one 1.54 * 2^14 * 1.54 * 16380
// < 2^30: int32 holds both. Shifts of negative values are arithmetic (C++20).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/filter.h"

namespace emomedia {

// The upright plane as a walk over the coded one: sample (x, y) lies at
// origin + x * step_x + y * step_y (bytes). Turning and mirroring are nothing but the choice of steps.
struct UprightPlane {
  const std::uint8_t* origin = nullptr;
  std::ptrdiff_t step_x = 1, step_y = 0;
};

UprightPlane upright(const std::uint8_t* data, std::ptrdiff_t stride, int width, int height, int sample_bytes,
                     int rotate, bool mirrored);

struct PlaneTask {
  UprightPlane source;
  int depth = 8;  // bits of a source sample
  const PlaneFilter* filter = nullptr;
  std::uint8_t* output = nullptr;     // filter->cols.size() x filter->rows.size() samples
  std::ptrdiff_t output_stride = 0;   // bytes
  int output_depth = 8;
};

// Memory that a kernel may use; grown before the work by reserve(), never in it.
struct ComposeScratch {
  std::vector<std::int16_t> row;     // T of one output row, indexed like the source row
  std::vector<std::uint8_t> turned;  // the upright crop, where source rows do not lie in memory as rows

  void reserve(const PlaneTask& task);
};

// A kernel allocates nothing and throws nothing.
using ComposePlane = void (*)(const PlaneTask& task, ComposeScratch& scratch) noexcept;

struct ComposeKernels {
  const char* name;
  ComposePlane plane;
};

// The widest implementation that this processor runs.
const ComposeKernels& compose_kernels();

extern const ComposeKernels kScalarKernels;

}  // namespace emomedia
