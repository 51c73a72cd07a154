// The compose contract (kernels/compose.h) for GPUs: what a launch of the kernel is given. The kernel is one source
// for CUDA and for the host, where CI proves its arithmetic; a thread block makes one tile of a plane's output in
// three phases, with a barrier after each:
//
//   load        (compose_load.h)    source samples to words of four rows of one column; turning and mirroring are
//                                   nothing but steps from sample to sample
//   vertical    (compose_filter.h)  sixteen rows of T, sixteen columns at a time, to words of four columns
//   horizontal  (compose_filter.h)  sixteen rows of outputs, sixteen columns at a time
//
// Filtering is a product of matrices of bytes, for which GPUs have units of their own (compose_warp.h). Those multiply
// bytes alone: so coefficients, T and samples of two bytes are split into a high and a low one, v = 256 * high + low,
// and products are summed from those that are worth most on: the same bits, since int32 sums are exact modulo 2^32 and
// the contract's fit. Source samples and T lie in words of four, groups, that begin at multiples of four.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/device_code.h"

namespace emomedia::gpu {

inline constexpr int kGroup = 4;       // samples in a word
inline constexpr int kBlock = 16;      // rows or columns of outputs that are made at a time
inline constexpr int kStepGroups = 8;  // groups that are multiplied at a time
inline constexpr int kMostSquares = 4;  // of four rows and four columns of bytes, that a thread reads at once
inline constexpr int kUsualSteps = 2;  // of 16 outputs, whose ratio is at most some 2.6: unrolled

struct alignas(8) TwoWords {
  std::uint32_t word[2];
};
struct alignas(16) FourWords {
  std::uint32_t word[4];
};

// Four values of two bytes: their low bytes and their high ones.
struct SplitFour {
  std::uint32_t low, high;
};

// Sixteen outputs along an axis, or those of a tile that has fewer: the groups of samples that they read, and their
// coefficients as the products take them. Step by step, those' low bytes and then their high ones, for each lane four
// words (compose_filter.h); blocks that are alike share them.
struct alignas(16) AxisBlock {
  std::int32_t first = 0, end = 0;
  std::int32_t steps = 0;
  std::int32_t coeff = 0;  // index
};

struct AxisTable {
  const AxisBlock* block = nullptr;
  const FourWords* coeff = nullptr;
  int blocks = 0;
};

// What a source's samples are: bytes; int16; or the upper bits of two bytes, as P010 has them.
enum class Samples { bytes, words, upper };

// How samples that lie next to each other in memory become words, as chosen_bytes() takes it. `step` bytes lie between
// two. Of one: the first two and the last two of four samples of two rows. Of two: four samples' low bytes, and their high
// ones; of four likewise, but first pairs of samples.
struct Gather {
  int step = 0;  // 1, 2 or 4; 0 where sixteen bytes can't be read at once
  std::uint32_t pair = 0, low = 0, high = 0;
};

// How threads share out a grid that is `width` places wide: which one a thread begins at, and how far it goes on
// from one to the next. Made on the host, so that no thread divides.
struct Split {
  int width = 1;
  std::uint32_t inverse = 0;  // 2^16 / width, rounded up: exact for as many threads as a block has
  int step_x = 0, step_y = 0;  // threads, as rows and what is left
};

// One plane of a half, and how it is cut into tiles. A plane has less than 2^31 bytes.
struct PlaneLaunch {
  const std::uint8_t* source = nullptr;  // the upright plane's first sample
  int across = 0, down = 0;              // bytes to the next sample of an upright row, to the next row
  int source_width = 0, source_height = 0;  // upright samples
  const std::uint8_t* gathered = nullptr;   // the sixteen bytes that the first one is among
  Gather gather;
  int unit_cols = 1, unit_rows = 1;  // groups of columns and of rows that sixteen bytes hold: one of them is 1
  Split loading;                     // the source's units, as many at a time, along memory
  int t_shift = 8;
  AxisTable rows, cols;
  std::uint8_t* out = nullptr;
  int out_stride = 0;
  int out_width = 0, out_height = 0, out_depth = 8;
  int out_step = 1, out_shift = 0;  // bytes to the next output; of those of two bytes, bits below each
  bool out_joined = false;          // four outputs from a multiple of four on can be written at once
  int tiles_across = 0, tiles_down = 0;
};

// The memory that a block's threads share: words of source samples, then T's low bytes and its high ones. Each part begins
// at a multiple of sixteen bytes.
struct TileShape {
  int cols = 0, rows = 0;                        // outputs of a tile
  int col_blocks_log2 = 0, row_blocks_log2 = 0;  // at least one block
  bool usual = false;    // no block takes more than kUsualSteps
  int groups_along = 0;  // along memory, that tiles read at the most
  int byte_planes = 1;
  int plane_words = 0;  // in each plane of the source's bytes
  int word_stride = 0;  // words from one group of rows to the next; where axes are swapped, from one column
  int t_stride = 0;     // words from one pair of rows of T to the next

  EMOMEDIA_DEVICE int t_words() const { return t_stride * (kBlock / 2 << row_blocks_log2); }
  EMOMEDIA_DEVICE std::size_t bytes() const {
    return sizeof(std::uint32_t) * static_cast<std::size_t>(byte_planes * plane_words + 2 * t_words());
  }
};

// A half: its three planes, composed by one launch.
struct HalfLaunch {
  PlaneLaunch plane[3];
  TileShape shape;
  Samples samples = Samples::bytes;
  bool swapped = false;  // upright rows are columns in memory
};

}  // namespace emomedia::gpu
