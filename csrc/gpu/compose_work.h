// What a block of threads works on: a tile of a plane's outputs, and the memory that its threads share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/compose_launch.h"

namespace emomedia::gpu {

// Where a tile lies: its outputs, and the groups of source samples that they need, from such a one on as is read with
// others at once.
struct Tile {
  int first_col, cols, first_row, rows;
  int first_col_group, col_groups, first_row_group, row_groups;
};

// One axis of it: sets the first group and how many there are.
EMOMEDIA_DEVICE void groups_of(const AxisTable& table, int from, int count, int unit, int& first, int& groups) {
  first = table.first[from] & -unit;
  groups = table.first[from + count - 1] + table.groups - first;
}

EMOMEDIA_DEVICE Tile tile_of(const PlaneLaunch& plane, const TileShape& shape, int across, int down) {
  Tile tile;
  tile.first_col = across * shape.cols;
  tile.cols = smaller(shape.cols, plane.out_width - tile.first_col);
  tile.first_row = down * shape.rows;
  tile.rows = smaller(shape.rows, plane.out_height - tile.first_row);
  groups_of(plane.cols, tile.first_col, tile.cols, plane.unit_cols, tile.first_col_group, tile.col_groups);
  groups_of(plane.rows, tile.first_row, tile.rows, plane.unit_rows, tile.first_row_group, tile.row_groups);
  return tile;
}

// Where words of source samples lie, such that neither those who store nor those who load four of them, eight or
// sixteen threads at a time, meet at the memory's banks: of an upright plane in rows of groups of rows, in which four
// groups of columns change places with the number of the eight that they are among; of one on its side in columns,
// the even ones of sixteen before the odd ones.
template <bool kSwapped>
struct Words;

template <>
struct Words<false> {
  EMOMEDIA_DEVICE static int col_group(int group) { return group ^ (group >> 3 & 3); }
  EMOMEDIA_DEVICE static int place(int row_group, int col_group_, int stride) {
    return row_group * stride + col_group(col_group_) * kGroup;
  }
};

template <>
struct Words<true> {
  EMOMEDIA_DEVICE static int col(int number) { return (number & ~15) + (number & 1) * 8 + (number >> 1 & 7); }
  EMOMEDIA_DEVICE static int place(int row_group, int number, int stride) { return col(number) * stride + row_group; }
};

// One plane's tile and the memory of its block; groups count from the tile's first.
struct Work {
  const PlaneLaunch& plane;
  const TileShape& shape;
  const Tile tile;
  std::uint8_t* shared;

  EMOMEDIA_DEVICE std::uint32_t* words(int byte_plane) const {
    return reinterpret_cast<std::uint32_t*>(shared) + byte_plane * shape.plane_words;
  }
  EMOMEDIA_DEVICE FourPairs* t(int row) const {
    return reinterpret_cast<FourPairs*>(shared + shape.word_bytes()) + row * shape.t_stride;
  }
};

}  // namespace emomedia::gpu
