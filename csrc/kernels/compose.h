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
// for 8-bit sources, 4 for 10-bit ones, 2 for 12-bit ones. With sum |coeff| <= 1.56 * 2^14 (Lanczos-3
// at half phase and 1.04x; 1.36 at 2.25x) |T| <= 1.56 * 16380 < 2^15, so T fits int16; 7 fraction bits would
// not. The vertical sum is at most 1.56 * 2^14 * 4095 < 2^27, the horizontal one 1.56 * 2^14 * 1.56 * 16380
// < 2^30: int32 holds both. Shifts of negative values are arithmetic (C++20).
//
// Two bytes can hold more than `depth` bits, and in raw video they may. Such samples count as int16, and T
// saturates to int16: so every picture has one composite, and sums stay below 1.56 * 2^14 * 2^15 < 2^30.
//
// A turned or mirrored plane is filtered as it lies in memory, along the axes that its upright ones lie on;
// the order of the passes stays. Only the output is transposed where the axes are swapped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/aligned_memory.h"
#include "kernels/packed_filter.h"

namespace emomedia {

struct PlaneTask {
  const std::uint8_t* source = nullptr;  // the coded plane
  std::ptrdiff_t source_stride = 0;      // bytes
  int depth = 8;                         // bits of a source sample
  const PackedFilter* filter = nullptr;
  std::uint8_t* output = nullptr;    // cols.outputs x bands.outputs samples, where axes are swapped the other way round
  std::ptrdiff_t output_stride = 0;  // bytes
  int output_depth = 8;
};

// How a pass makes samples of its sums: shifted right with rounding, and clamped to 0 .. top unless they are T.
struct Rounding {
  int shift;
  int top;
};

// Rows that will be read soon, to be fetched beside the work: they lie pages from each other, where no processor
// sees them coming.
struct Ahead {
  const std::uint8_t* const* rows = nullptr;
  int count = 0;

  // Keeps the first `kept` of them, returns the others.
  Ahead split_off(int kept) {
    const Ahead others{rows + kept, count - kept};
    count = kept;
    return others;
  }
};

// Down the columns: one band of outputs.
struct VerticalTask {
  const std::uint8_t* const* rows;  // 2 * pairs source rows
  Ahead ahead;                      // as wide as these
  const BandTable* table;
  int pairs;
  int width;  // samples
  Rounding rounding;
  std::uint8_t* out;          // kBandRows rows; where they are narrower than kMostLanes samples, as wide as that
  std::ptrdiff_t out_stride;  // bytes
};

// Along kBandRows rows of T.
struct HorizontalTask {
  const std::int16_t* rows;  // of filter->padded_sources() samples
  std::ptrdiff_t stride;     // samples
  const RowFilter* filter;
  Ahead ahead;  // ahead_bytes wide
  int ahead_bytes;
  int wanted;  // rows that are written, up to kBandRows
  Rounding rounding;
  std::uint8_t* out;
  std::ptrdiff_t out_stride;  // bytes
};

// Along kBandRows rows of samples, to T.
struct SamplesAlongTask {
  const std::uint8_t* rows[kBandRows];  // not to be read beyond filter->sources samples
  std::int16_t* widened;                // memory for as many rows, as in HorizontalTask
  std::ptrdiff_t widened_stride;        // samples
  const RowFilter* filter;
  Ahead ahead;
  int ahead_bytes;
  Rounding rounding;
  std::uint8_t* out;
  std::ptrdiff_t out_stride;  // bytes

  // What is left to do once the rows are widened.
  [[gnu::always_inline]] HorizontalTask from_widened() const {
    return {widened, widened_stride, filter, ahead, ahead_bytes, kBandRows, rounding, out, out_stride};
  }
};

// out[x][y] = source[y][x]
struct TransposeTask {
  const std::uint8_t* source;
  std::ptrdiff_t source_stride;  // bytes
  int width, height;             // of the source, samples
  std::uint8_t* out;
  std::ptrdiff_t out_stride;  // bytes
};

// One instruction set's functions; those that come twice are for samples of one byte and of two. They
// allocate nothing and throw nothing.
struct ComposeKernels {
  template <typename Task>
  using Pair = std::array<void (*)(const Task&) noexcept, 2>;

  const char* name;
  Pair<VerticalTask> samples_down;       // samples to T
  Pair<VerticalTask> t_down;             // T to samples
  Pair<SamplesAlongTask> samples_along;  // samples to T
  Pair<HorizontalTask> t_along;          // T to samples
  Pair<TransposeTask> transpose;
};

// The instruction sets that this build has and this processor runs, narrowest first: scalar, avx2, avx512.
std::span<const ComposeKernels* const> runnable_compose_kernels();

// The widest of them, or the one that the environment variable EMOMEDIA_CPU names. Throws
// Error(description) where it names none.
const ComposeKernels& compose_kernels();

// The rule behind it; an empty name means the widest.
const ComposeKernels& compose_kernels(std::string_view name);

// Memory that composing uses; grown before the work by reserve(), never in it.
struct ComposeScratch {
  std::vector<const std::uint8_t*> rows;   // of a band, then those ahead
  AlignedMemory t;        // rows of T: a band's, or where axes are swapped a ring of them
  AlignedMemory widened;  // where axes are swapped: kBandRows source rows
  AlignedMemory staged;   // where axes are swapped: outputs that wait to be transposed

  void reserve(const PlaneTask& task);
};

void compose_plane(const PlaneTask& task, const ComposeKernels& kernels, ComposeScratch& scratch) noexcept;

}  // namespace emomedia
