// The kernel's second and third phase: T from source samples, outputs from T, by the warps of a block. Coefficients
// beyond an output's own are 0; what they are multiplied with does not matter.
#pragma once

#include "gpu/compose_warp.h"
#include "gpu/compose_work.h"

namespace emomedia::gpu {

struct alignas(8) TwoWords {
  std::uint32_t first, second;
};

// Values of two bytes as a side of products; the high one of a left side has a sign.
struct LeftPair {
  PerLane<Left> low, high;
};
struct RightPair {
  PerLane<Right> low, high;
};

// Both sides, for kStepGroups groups, of sixteen rows times sixteen columns: the even ones, the odd ones.
struct Step {
  LeftPair left;
  RightPair right[2];
};

using SumsOfTwo = PerLane<Sums>[2];  // of the even columns, of the odd ones

EMOMEDIA_DEVICE void begin(SumsOfTwo& sums) {
  each_lane([&](const Lane& lane) {
    EMOMEDIA_UNROLL
    for (int n = 0; n < 4; ++n) sums[0][lane].sum[n] = sums[1][lane].sum[n] = 0;
  });
}

// Before products are added that are worth 256 times less.
EMOMEDIA_DEVICE void raise(SumsOfTwo& sums, std::int32_t rounding) {
  each_lane([&](const Lane& lane) {
    EMOMEDIA_UNROLL
    for (int n = 0; n < 8; ++n) {
      std::int32_t& sum = sums[n / 4][lane].sum[n % 4];
      sum = static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << 8) + static_cast<std::uint32_t>(rounding));
    }
  });
}

// Products worth 256 to the power of kWorth. Of a right side that is not kWide there are low bytes alone; the high ones
// may have a sign.
template <int kWorth, bool kWide, bool kSigned>
EMOMEDIA_DEVICE void add(SumsOfTwo& sums, const Step& step) {
  EMOMEDIA_UNROLL
  for (int n = 0; n < 2; ++n) {
    const RightPair& right = step.right[n];
    if constexpr (kWorth == 2) {
      multiply_add<true, kSigned>(sums[n], step.left.high, right.high);
    } else if constexpr (kWorth == 1) {
      multiply_add<true, false>(sums[n], step.left.high, right.low);
      if constexpr (kWide) multiply_add<false, kSigned>(sums[n], step.left.low, right.high);
    } else {
      multiply_add<false, false>(sums[n], step.left.low, right.low);
    }
  }
}

// All products of so many steps, which `take` gives by their numbers.
template <bool kWide, bool kSigned, typename Take>
EMOMEDIA_DEVICE void multiply(SumsOfTwo& sums, int steps, std::int32_t rounding, const Take& take) {
  begin(sums);
  if constexpr (kWide) {
    EMOMEDIA_UNROLL
    for (int step = 0; step < steps; ++step) add<2, kWide, kSigned>(sums, take(step));
    raise(sums, 0);
  }
  EMOMEDIA_UNROLL
  for (int step = 0; step < steps; ++step) add<1, kWide, kSigned>(sums, take(step));
  raise(sums, rounding);
  EMOMEDIA_UNROLL
  for (int step = 0; step < steps; ++step) add<0, kWide, kSigned>(sums, take(step));
}

// The four sums that a lane has next to each other in its first row or its second.
EMOMEDIA_DEVICE void take_four(const SumsOfTwo& sums, const Lane& lane, int row, std::int32_t (&four)[kGroup]) {
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) four[n] = sums[n % 2][lane].sum[2 * row + n / 2];
}

// One output's coefficients, by groups that count from a tile's first one.
class Coefficients {
 public:
  // None for an output from `end` on.
  EMOMEDIA_DEVICE Coefficients(const AxisTable& table, int output, int end, int first_group)
      : coeff_(table.coeff + output * table.groups),
        first_(output < end ? table.first[output] - first_group : 0),
        groups_(output < end ? table.groups : 0) {}

  EMOMEDIA_DEVICE FourPairs at(int group) const {
    const int n = group - first_;
    if (static_cast<unsigned>(n) >= static_cast<unsigned>(groups_)) return {0, 0};
    return coeff_[n];
  }

 private:
  const FourPairs* coeff_;
  int first_, groups_;
};

// A block of outputs along one axis: where in the tile's groups it begins to read, and in how many steps.
struct Reach {
  int base, steps;
};

template <int kSteps>
EMOMEDIA_DEVICE Reach reach_of(const AxisTable& table, int from, int end, int first_group) {
  const int first = table.first[from];
  if constexpr (kSteps > 0) return {first - first_group, kSteps};
  const int last = table.first[smaller(from + kBlock, end) - 1] + table.groups;
  return {first - first_group, parts(last - first, kStepGroups)};
}

// Low and high bytes of four T, which lie in their words from byte `kFrom` on.
template <int kFrom>
EMOMEDIA_DEVICE FourPairs packed(const std::int32_t (&t)[kGroup]) {
  constexpr std::uint32_t kPairs = kFrom == 0 ? 0x5140 : 0x6251;
  const std::uint32_t t01 = chosen_bytes(static_cast<std::uint32_t>(t[0]), static_cast<std::uint32_t>(t[1]), kPairs);
  const std::uint32_t t23 = chosen_bytes(static_cast<std::uint32_t>(t[2]), static_cast<std::uint32_t>(t[3]), kPairs);
  return {chosen_bytes(t01, t23, 0x5410), chosen_bytes(t01, t23, 0x7632)};
}

// Of four sums, four T; of bytes T is the sum's middle two.
template <Samples kSamples>
EMOMEDIA_DEVICE FourPairs rounded(std::int32_t (&sum)[kGroup], int shift) {
  if constexpr (kSamples == Samples::bytes) {
    return packed<1>(sum);
  } else {
    EMOMEDIA_UNROLL
    for (int c = 0; c < kGroup; ++c) {
      sum[c] >>= shift;
      if constexpr (kSamples == Samples::words) sum[c] = clamped(sum[c], INT16_MIN, INT16_MAX);
    }
    return packed<0>(sum);
  }
}

// Of sixteen columns of source samples, the words of the even and of the odd ones.
template <bool kSwapped>
EMOMEDIA_DEVICE void take_samples(const std::uint32_t* words, int stride, int group, int first_col, const Lane& lane, Right& even,
                                  Right& odd) {
  EMOMEDIA_UNROLL
  for (int n = 0; n < 2; ++n) {
    const int row_group = group + lane.part() + n * kGroup, col = first_col + 2 * lane.row();
    if constexpr (kSwapped) {
      even.word[n] = words[Words<true>::place(row_group, col, stride)];
      odd.word[n] = words[Words<true>::place(row_group, col + 1, stride)];
    } else {
      const int place = Words<false>::place(row_group, col / kGroup, stride) + col % kGroup;
      const TwoWords two = *reinterpret_cast<const TwoWords*>(words + place);
      even.word[n] = two.first;
      odd.word[n] = two.second;
    }
  }
}

// T of sixteen rows: every so many of the blocks of columns that the tile reads.
template <Samples kSamples, bool kSwapped, int kSteps>
EMOMEDIA_DEVICE void vertical(const Work& work, int warp, int warps) {
  constexpr bool kWide = kSamples != Samples::bytes, kSigned = kSamples == Samples::words;
  const Tile& tile = work.tile;
  const AxisTable& table = work.plane.rows;
  const int blocks_log2 = work.shape.row_blocks_log2, row_block = warp & ((1 << blocks_log2) - 1);
  const int from = tile.first_row + row_block * kBlock, end = tile.first_row + tile.rows;
  if (from >= end) return;
  const Reach reach = reach_of<kSteps>(table, from, end, tile.first_row_group);
  const auto take_left = [&](int step, LeftPair& left) {
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int n = 0; n < 4; ++n) {
        const Coefficients row(table, from + lane.row() + n % 2 * 8, end, tile.first_row_group);
        const FourPairs four = row.at(reach.base + step * kStepGroups + lane.part() + n / 2 * kGroup);
        left.low[lane].word[n] = four.low;
        left.high[lane].word[n] = four.high;
      }
    });
  };
  const auto take_right = [&](int col_block, int step, RightPair (&right)[2]) {
    each_lane([&](const Lane& lane) {
      const int group = reach.base + step * kStepGroups, col = col_block * kBlock, stride = work.shape.word_stride;
      take_samples<kSwapped>(work.words(0), stride, group, col, lane, right[0].low[lane], right[1].low[lane]);
      if constexpr (kWide) take_samples<kSwapped>(work.words(1), stride, group, col, lane, right[0].high[lane], right[1].high[lane]);
    });
  };
  Step kept[kSteps > 0 ? kSteps : 1];
  EMOMEDIA_UNROLL
  for (int step = 0; step < kSteps; ++step) take_left(step, kept[step].left);
  const int col_blocks = parts(tile.col_groups * kGroup, kBlock);
  for (int block = warp >> blocks_log2; block < col_blocks; block += warps >> blocks_log2) {
    EMOMEDIA_UNROLL
    for (int step = 0; step < kSteps; ++step) take_right(block, step, kept[step].right);
    SumsOfTwo sums;
    multiply<kWide, kSigned>(sums, reach.steps, 1 << (work.plane.t_shift - 1), [&](int step) -> const Step& {
      if constexpr (kSteps > 0) return kept[step];
      take_left(step, kept[0].left);
      take_right(block, step, kept[0].right);
      return kept[0];
    });
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int row = 0; row < 2; ++row) {
        std::int32_t four[kGroup];
        take_four(sums, lane, row, four);
        work.t(row_block * kBlock + lane.row() + 8 * row)[block * kGroup + lane.part()] = rounded<kSamples>(four, work.plane.t_shift);
      }
    });
  }
}

template <typename Out>
struct alignas(kGroup * sizeof(Out)) FourOuts {
  Out out[kGroup];
};

// Four outputs of a row of the tile, from their sums.
template <typename Out>
EMOMEDIA_DEVICE void store_outputs(const Work& work, int row, int col, const std::int32_t (&sum)[kGroup]) {
  const PlaneLaunch& plane = work.plane;
  const int shift = 28 - plane.out_depth, top = (1 << plane.out_depth) - 1;
  FourOuts<Out> four;
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) {
    const int value = clamped(sum[n] >> shift, 0, top);
    four.out[n] = static_cast<Out>(sizeof(Out) == 1 ? value : value << plane.out_shift);
  }
  std::uint8_t* at = plane.out + (work.tile.first_row + row) * plane.out_stride + (work.tile.first_col + col) * plane.out_step;
  if (plane.out_joined && col + kGroup <= work.tile.cols) {
    *reinterpret_cast<FourOuts<Out>*>(at) = four;
    return;
  }
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) {
    if (col + n < work.tile.cols) *reinterpret_cast<Out*>(at + n * plane.out_step) = four.out[n];
  }
}

// Outputs of sixteen columns: every so many of the tile's blocks of rows.
template <typename Out, int kSteps>
EMOMEDIA_DEVICE void horizontal_of(const Work& work, int warp, int warps) {
  const Tile& tile = work.tile;
  const AxisTable& table = work.plane.cols;
  const int blocks_log2 = work.shape.col_blocks_log2, col_block = warp & ((1 << blocks_log2) - 1);
  const int from = tile.first_col + col_block * kBlock, end = tile.first_col + tile.cols;
  if (from >= end) return;
  const Reach reach = reach_of<kSteps>(table, from, end, tile.first_col_group);
  const auto take_left = [&](int row_block, int step, LeftPair& left) {
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int n = 0; n < 4; ++n) {
        const FourPairs* t = work.t(row_block * kBlock + lane.row() + n % 2 * 8);
        const FourPairs four = t[reach.base + step * kStepGroups + lane.part() + n / 2 * kGroup];
        left.low[lane].word[n] = four.low;
        left.high[lane].word[n] = four.high;
      }
    });
  };
  const auto take_right = [&](int step, RightPair (&right)[2]) {
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int n = 0; n < 4; ++n) {
        const Coefficients col(table, from + 2 * lane.row() + n / 2, end, tile.first_col_group);
        const FourPairs four = col.at(reach.base + step * kStepGroups + lane.part() + n % 2 * kGroup);
        right[n / 2].low[lane].word[n % 2] = four.low;
        right[n / 2].high[lane].word[n % 2] = four.high;
      }
    });
  };
  Step kept[kSteps > 0 ? kSteps : 1];
  EMOMEDIA_UNROLL
  for (int step = 0; step < kSteps; ++step) take_right(step, kept[step].right);
  const int row_blocks = parts(tile.rows, kBlock);
  for (int block = warp >> blocks_log2; block < row_blocks; block += warps >> blocks_log2) {
    EMOMEDIA_UNROLL
    for (int step = 0; step < kSteps; ++step) take_left(block, step, kept[step].left);
    SumsOfTwo sums;
    multiply<true, true>(sums, reach.steps, 1 << (27 - work.plane.out_depth), [&](int step) -> const Step& {
      if constexpr (kSteps > 0) return kept[step];
      take_left(block, step, kept[0].left);
      take_right(step, kept[0].right);
      return kept[0];
    });
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int row = 0; row < 2; ++row) {
        const int number = block * kBlock + lane.row() + 8 * row;
        std::int32_t four[kGroup];
        take_four(sums, lane, row, four);
        if (number < tile.rows) store_outputs<Out>(work, number, col_block * kBlock + lane.part() * kGroup, four);
      }
    });
  }
}

template <int kSteps>
EMOMEDIA_DEVICE void horizontal(const Work& work, int warp, int warps) {
  if (work.plane.out_depth > 8) {
    horizontal_of<std::uint16_t, kSteps>(work, warp, warps);
  } else {
    horizontal_of<std::uint8_t, kSteps>(work, warp, warps);
  }
}

}  // namespace emomedia::gpu
