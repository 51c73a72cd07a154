// A plane's filter tables laid out for the compose kernels: along the axes of the coded plane, in bands of
// rows and blocks of columns.
//
// Taps are taken in pairs, because the widest integer multiply-add of every instruction set takes two
// int16 at a time. A pair is one int32: the earlier sample's coefficient in its low half.
//
// Where the ratio is a small fraction, as 9:4 for 2160 to 960, coefficients repeat: bands and blocks with
// the same ones share them, so that they stay in the nearest cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/filter.h"

namespace emomedia {

inline constexpr int kBandRows = 4;      // outputs of a column made at a time
inline constexpr int kBlockCols = 16;    // outputs of a row made at a time by way of pairs
inline constexpr int kDotTaps = 16;      // taps are padded to a multiple of this for dot products
inline constexpr int kWindowPairs = 32;  // pairs of int16 that two of the widest registers hold
inline constexpr int kWindowBytes = 64;  // bytes that one holds
inline constexpr int kMostLanes = 64;    // samples that are worked on at a time, at the most

// One band's coefficients, and which outputs need which pairs: the first `lead` pairs the upper half of the
// band's outputs alone, those from `tail` on the lower half alone. The others have no weight there.
struct BandTable {
  int lead = 0, tail = 0;
  std::vector<std::int32_t> coeff;  // [pairs][kBandRows]
};

// Along the coded columns: outputs b * kBandRows .. come from the source rows first[b] .. first[b] +
// 2 * pairs - 1; those beyond the last have no weight. No band begins before the one that precedes it.
struct RowBands {
  int outputs = 0;
  bool flipped = false;  // outputs are counted from the last
  int sources = 0;       // rows that are read
  int pairs = 0;         // of rows, in each band
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> number;  // per band, of its table
  std::vector<BandTable> tables;

  int size() const { return static_cast<int>(first.size()); }
  const BandTable& table(int band) const {
    return tables[static_cast<std::size_t>(number[static_cast<std::size_t>(band)])];
  }
};

// Along the coded rows, in pairs of neighbouring samples: block k reads `span` units of a row from base[k] on,
// and output i takes what index[p][i] says by coeff[p][i], for each tap pair p.
struct ColBlocks {
  int pairs = 0;
  int span = 0;
  std::vector<std::int32_t> base;
  std::vector<std::int32_t> number;  // per block, of its table
  std::vector<std::int32_t> tables;  // [number][index, coeff][pairs][kBlockCols]

  // Used by files that are compiled for one instruction set: what they left out of line could be linked to others.
  [[gnu::always_inline]] int size() const { return static_cast<int>(base.size()); }
  [[gnu::always_inline]] const std::int32_t* index(int block) const {
    return tables.data() + std::ptrdiff_t{2} * number[static_cast<std::size_t>(block)] * pairs * kBlockCols;
  }
  [[gnu::always_inline]] const std::int32_t* coeff(int block) const { return index(block) + std::ptrdiff_t{pairs} * kBlockCols; }
};

// The same by samples: output i is the dot product of coeff[i] and the row from start[i] on, `taps` long.
struct ColDots {
  int taps = 0;                     // a multiple of kDotTaps
  std::vector<std::int32_t> start;  // to a whole number of blocks
  std::vector<std::int16_t> coeff;  // [output][taps]
};

struct RowFilter {
  int outputs = 0;
  int sources = 0;  // samples that are read of a row
  ColBlocks blocks;       // of rows of int16: units are pairs from the row's first sample, indices count pairs
  ColBlocks byte_blocks;  // of rows of bytes: units are bytes, an index two of them, in bits 0 .. 7 and 16 .. 23
  ColDots dots;

  // int16 that a row must hold, so that reading whole blocks and dot products stays inside it.
  int padded_sources() const;
  // int16 that a row of outputs must hold, to be written in whole registers.
  int padded_outputs() const { return outputs + kMostLanes; }
};

// How a plane that is turned clockwise by `rotate` degrees, then mirrored, lies in memory.
struct Orientation {
  int rotate = 0;
  bool mirrored = false;

  bool swapped() const { return rotate % 180 != 0; }  // upright rows are coded columns
};

// Both axes, and where in the coded plane the first sample lies that is read. Turning and mirroring are
// nothing but a choice of axes and of direction. The upright vertical axis is always filtered first.
struct PackedFilter {
  bool swapped = false;
  RowBands bands;  // of rows of samples, or where axes are swapped of rows of T
  RowFilter cols;  // of rows of T, or where axes are swapped of samples
  int first_col = 0, first_row = 0;  // in the coded plane
};

// `width` and `height` are the coded plane's.
PackedFilter pack(const PlaneFilter& filter, const Orientation& orientation, int width, int height);

// The three planes' filters. Errors as compose_filters().
std::array<PackedFilter, 3> packed_filters(const HalfGeometry& geometry);

}  // namespace emomedia
