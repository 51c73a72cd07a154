// What a thread block works on: a tile of a plane's outputs, and the memory that its threads share. Where words lie
// there is chosen such that threads that store or load at a time do not meet at its banks.
#pragma once

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

// Where one of sixteen columns' words lie among theirs: of each four columns the first two before the others.
EMOMEDIA_DEVICE int place_of_col(int col) { return (col & 2) << 2 | (col >> 2) << 1 | (col & 1); }

// One plane's tile and the memory of its threads; groups count from the tile's first.
struct Work {
  const PlaneLaunch& plane;
  const TileShape& shape;
  const Tile tile;
  std::uint32_t* shared;

  // Source samples of a group of rows, and of the column at a place among the sixteen of a block. Of an upright plane
  // they lie in rows, in which pairs of columns change places from block to block; of one on its side in columns.
  template <bool kSwapped>
  EMOMEDIA_DEVICE std::uint32_t* words(int byte_plane, int row_group, int block, int place) const {
    const int col = block * kBlock + (kSwapped ? place : place ^ (block & 14));
    return shared + byte_plane * shape.plane_words +
           (kSwapped ? col * shape.word_stride + row_group : row_group * shape.word_stride + col);
  }

  // T's low or high bytes of a row and the one that lies eight below it in a block: two words a group of columns.
  EMOMEDIA_DEVICE std::uint32_t* t(bool high, int block, int row, int col_group) const {
    return shared + shape.byte_planes * shape.plane_words + (high ? shape.t_words() : 0) +
           (block * (kBlock / 2) + row) * shape.t_stride + (col_group * 2 ^ (row & 2) << 2);
  }
};

}  // namespace emomedia::gpu
