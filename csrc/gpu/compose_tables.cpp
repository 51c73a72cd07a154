#include "gpu/compose_tables.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <string>

#include "emomedia/error.h"
#include "gpu/compose_warp.h"

namespace emomedia::gpu {
namespace {

constexpr int kFewestCols = 4, kFewestRows = 2;
constexpr int kPairOfGroups = 2;  // of T, that lie together

int rounded_up(int count, int unit) { return parts(count, unit) * unit; }

// The least number that is not below `count` and leaves `rest` if divided by `by`.
int leaving(int count, int rest, int by) { return rounded_up(count - rest, by) + rest; }

int log2_of(int blocks) { return std::countr_zero(static_cast<unsigned>(std::max(blocks, 1))); }

// Which output and which group of samples a lane's word has coefficients of, counted from the block's and the step's first.
struct LaneWord {
  int output, group;
};

LaneWord lane_word(Side side, int lane, int word) {
  const int row = lane / 4, part = lane % 4;
  if (side == Side::left) return {row + word % 2 * 8, part + word / 2 * 4};
  return {row / 2 * 4 + row % 2 + word / 2 * 2, 2 * part + word % 2};
}

std::int16_t coefficient(const AxisFilter& filter, int output, int sample) {
  const int tap = sample - filter.start[static_cast<std::size_t>(output)];
  return tap < 0 || tap >= filter.taps ? std::int16_t{0} : filter.coeff[static_cast<std::size_t>(output * filter.taps + tap)];
}

// Four coefficients of an output from a group on: their low bytes or their high ones.
std::uint32_t word_of(const AxisFilter& filter, int output, int group, bool high) {
  std::uint32_t word = 0;
  for (int n = 0; n < kGroup; ++n) {
    const auto bits = static_cast<std::uint16_t>(coefficient(filter, output, group * kGroup + n));
    word |= static_cast<std::uint32_t>(high ? bits >> 8 : bits & 0xFF) << (8 * n);
  }
  return word;
}

std::vector<std::uint32_t> words_of(const AxisFilter& filter, const AxisBlock& block, int from, int end, Side side) {
  std::vector<std::uint32_t> words;
  for (int step = 0; step < block.steps; ++step) {
    for (const bool high : {false, true}) {
      for (int lane = 0; lane < kLanes; ++lane) {
        for (int word = 0; word < 4; ++word) {
          const LaneWord at = lane_word(side, lane, word);
          const int output = from + at.output, group = block.first + step * kStepGroups + at.group;
          words.push_back(output < end ? word_of(filter, output, group, high) : 0);
        }
      }
    }
  }
  return words;
}

int block_length(int tile_length) { return std::min(tile_length, kBlock); }

// Along one axis, the most groups that tiles read, and up to which one, from a tile's first on, any of their blocks does.
struct Room {
  int groups = 0, reach = 0;
};

Room room_of(const std::vector<AxisBlock>& blocks, int blocks_log2, int unit) {
  Room room;
  for (std::size_t from = 0; from < blocks.size(); from += std::size_t{1} << blocks_log2) {
    const std::size_t end = std::min(from + (std::size_t{1} << blocks_log2), blocks.size());
    const int first = blocks[from].first & -unit;
    room.groups = std::max(room.groups, blocks[end - 1].end - first);
    for (std::size_t n = from; n < end; ++n) {
      room.reach = std::max(room.reach, blocks[n].first - first + blocks[n].steps * kStepGroups);
    }
  }
  return room;
}

Room larger(const Room& a, const Room& b) { return {std::max(a.groups, b.groups), std::max(a.reach, b.reach)}; }

// The memory for tiles of that size: as much as the one that reads most takes. How rows of it follow each other keeps
// threads apart that use it at a time: those of four groups of rows and eight columns, of eight rows and four groups.
TileShape shape_of(const std::array<PlaneFilter, 3>& filters, const HalfGeometry& geometry, int cols, int rows) {
  TileShape shape;
  shape.cols = cols;
  shape.rows = rows;
  shape.col_blocks_log2 = log2_of(cols / kBlock);
  shape.row_blocks_log2 = log2_of(rows / kBlock);
  shape.byte_planes = geometry.source.sample_bytes();
  shape.usual = true;
  const bool swapped = geometry.rotate % 180 != 0;
  const int unit = kMostSquares / shape.byte_planes;  // squares that are read at once, at the most
  Room down, across;
  for (const PlaneFilter& filter : filters) {
    const auto row_blocks = blocks_of(filter.rows, rows, Side::left), col_blocks = blocks_of(filter.cols, cols, Side::right);
    down = larger(down, room_of(row_blocks, shape.row_blocks_log2, swapped ? unit : 1));
    across = larger(across, room_of(col_blocks, shape.col_blocks_log2, swapped ? 1 : unit));
    const auto usual = [](const AxisBlock& block) { return block.steps <= kUsualSteps; };
    shape.usual = shape.usual && std::ranges::all_of(row_blocks, usual) && std::ranges::all_of(col_blocks, usual);
  }
  shape.groups_along = swapped ? down.groups : across.groups;
  const int row_groups = std::max(rounded_up(down.groups, unit), down.reach);
  const int col_groups = rounded_up(across.groups, kBlock / kGroup);
  shape.word_stride = swapped ? leaving(row_groups, 4, 8) : leaving(col_groups * kGroup, 8, 16);
  shape.plane_words = shape.word_stride * (swapped ? col_groups * kGroup : row_groups);
  shape.t_stride = leaving(2 * rounded_up(std::max(col_groups, across.reach), 8), 16, 32);
  return shape;
}

}  // namespace

// None begins before the one that precedes it or ends after the one that follows it, though outputs whose outermost
// coefficients round to 0 may. All are given kUsualSteps, or as many as they take.
std::vector<AxisBlock> blocks_of(const AxisFilter& filter, int length, Side side) {
  std::vector<AxisBlock> blocks;
  for (int from = 0; from < filter.size(); from += block_length(length)) {
    const auto begin = filter.start.begin() + from;
    const auto [least, most] = std::minmax_element(begin, begin + std::min(block_length(length), filter.size() - from));
    const int first = *least / kGroup & -(side == Side::right ? kPairOfGroups : 1);
    blocks.push_back({.first = first, .end = (*most + filter.taps - 1) / kGroup + 1});
  }
  for (std::size_t n = blocks.size() - 1; n > 0; --n) blocks[n - 1].first = std::min(blocks[n - 1].first, blocks[n].first);
  for (std::size_t n = 1; n < blocks.size(); ++n) blocks[n].end = std::max(blocks[n - 1].end, blocks[n].end);
  for (AxisBlock& block : blocks) block.steps = std::max(kUsualSteps, parts(block.end - block.first, kStepGroups));
  return blocks;
}

std::vector<FourWords> coefficients_of(const AxisFilter& filter, int length, Side side, std::vector<AxisBlock>& blocks) {
  std::vector<std::uint32_t> all;
  std::map<std::vector<std::uint32_t>, std::int32_t> places;
  int from = 0;
  for (AxisBlock& block : blocks) {
    const int end = std::min(from + block_length(length), filter.size());
    const auto words = words_of(filter, block, from, end, side);
    const auto [place, is_new] = places.try_emplace(words, static_cast<std::int32_t>(all.size() / 4));
    if (is_new) all.insert(all.end(), words.begin(), words.end());
    block.coeff = place->second;
    from = end;
  }
  std::vector<FourWords> coeff(all.size() / 4);
  std::memcpy(coeff.data(), all.data(), all.size() * sizeof(std::uint32_t));
  return coeff;
}

TileShape largest_shape(const std::array<PlaneFilter, 3>& filters, const HalfGeometry& geometry, int most_cols, int most_rows,
                        std::size_t most_bytes) {
  for (int cols = most_cols; cols >= kFewestCols; cols /= 2) {
    for (int rows = most_rows; rows >= std::max(kFewestRows, cols / 4); rows /= 2) {
      const TileShape shape = shape_of(filters, geometry, cols, rows);
      if (shape.bytes() <= most_bytes) return shape;
    }
  }
  throw Error(Cause::device, "composing on the GPU", "pictures at most some twenty times as small as what they show",
              std::to_string(geometry.crop.width) + "x" + std::to_string(geometry.crop.height) + " to " +
                  std::to_string(geometry.width) + "x" + std::to_string(geometry.height),
              "choose a larger size, or let the cores do it");
}

}  // namespace emomedia::gpu
