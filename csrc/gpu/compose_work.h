// What a group of threads works on: a tile of a plane's outputs, and the memory that its threads share. Where words lie
// there is chosen such that threads that store or load at a time do not meet at its banks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/compose_launch.h"

namespace emomedia::gpu {

// Where a tile lies: its outputs, and the groups of source samples that they need, from such a one on as is read with
// others at once.
struct Tile {
  int first_col, cols, first_row, rows;
  int first_col_block, first_row_block;
  int first_col_group, col_groups, first_row_group, row_groups;
};

// One axis of it.
struct Groups {
  int first, count;
};

EMOMEDIA_DEVICE Groups groups_of(const AxisTable& table, int from, int blocks_log2, int unit) {
  const int last = smaller(from + (1 << blocks_log2), table.blocks) - 1;
  const int first = table.block[from].first & -unit;
  return {first, table.block[last].end - first};
}

EMOMEDIA_DEVICE Tile tile_of(const PlaneLaunch& plane, const TileShape& shape, int across, int down) {
  const int first_col = across * shape.cols, first_row = down * shape.rows;
  const int col_block = across << shape.col_blocks_log2, row_block = down << shape.row_blocks_log2;
  const Groups cols = groups_of(plane.cols, col_block, shape.col_blocks_log2, plane.unit_cols);
  const Groups rows = groups_of(plane.rows, row_block, shape.row_blocks_log2, plane.unit_rows);
  return {first_col,  smaller(shape.cols, plane.out_width - first_col),
          first_row,  smaller(shape.rows, plane.out_height - first_row),
          col_block,  row_block,
          cols.first, cols.count,
          rows.first, rows.count};
}

// Words of source samples. Of an upright plane they lie in rows of groups of rows, of one on its side in columns. Among
// sixteen columns the first two of each four lie before the others, or after them; and upright, where threads store along
// rows, pairs change places from sixteen to sixteen.
template <bool kSwapped>
EMOMEDIA_DEVICE int place_of_col(int col) {
  const int block = col >> 4;
  int pair = col >> 2 & 3, half = col >> 1 & 1;
  if constexpr (!kSwapped) {
    pair ^= block >> 1 & 3;
    half ^= block >> 3 & 1;
  }
  return block << 4 | half << 3 | pair << 1 | (col & 1);
}

// One plane's tile and the memory of its threads; groups count from the tile's first.
struct Work {
  const PlaneLaunch& plane;
  const TileShape& shape;
  const Tile tile;
  std::uint32_t* shared;

  template <bool kSwapped>
  EMOMEDIA_DEVICE std::uint32_t* words(int byte_plane, int row_group, int col) const {
    const int place = place_of_col<kSwapped>(col);
    return shared + byte_plane * shape.plane_words +
           (kSwapped ? place * shape.word_stride + row_group : row_group * shape.word_stride + place);
  }

  // T's low or high bytes of a row and the one that lies eight below it in a block: two words a group of columns.
  EMOMEDIA_DEVICE std::uint32_t* t(bool high, int block, int row, int col_group) const {
    const int place = (col_group >> 1 ^ (row & 2)) << 2 | (col_group & 1) << 1;
    return shared + shape.byte_planes * shape.plane_words + (high ? shape.t_words() : 0) +
           (block * (kBlock / 2) + row) * shape.t_stride + place;
  }
};

}  // namespace emomedia::gpu
