// The kernel's second and third phase: T from source samples, outputs from T, by a thread block's warps. Coefficients
// beyond an output's own are 0; what they are multiplied with does not matter.
//
// Sixteen columns are two products' right sides, of each four the first two in one, the others in the other one: so a lane
// has four sums next to each other. In the vertical phase a lane's words are those of groups `part` and `part` + 4 of a
// step, in the horizontal one those of 2 * `part` and the next, which lie together in T.
#pragma once

#include "gpu/compose_warp.h"
#include "gpu/compose_work.h"

namespace emomedia::gpu {

// Values of two bytes as a side of products; the high one of a left side has a sign.
struct LeftPair {
  PerLane<Left> low, high;
};
struct RightPair {
  PerLane<Right> low, high;
};

// Both sides, for kStepGroups groups, of sixteen rows times sixteen columns.
struct Step {
  LeftPair left;
  RightPair right[2];
};

using SumsOfTwo = PerLane<Sums>[2];

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
  for (int n = 0; n < kGroup; ++n) four[n] = sums[n / 2][lane].sum[2 * row + n % 2];
}

// A block's coefficients as products take them: a side's low bytes, or its high ones.
EMOMEDIA_DEVICE const FourWords& coefficients(const AxisTable& table, const AxisBlock& block, int step, bool high,
                                              const Lane& lane) {
  return table.coeff[block.coeff + (2 * step + (high ? 1 : 0)) * kLanes + lane.number];
}

// A step's sides: coefficients, samples of a block of columns from a group of rows on, T of a block of rows from a group of
// columns on.
EMOMEDIA_DEVICE void take_coefficients(const AxisTable& table, const AxisBlock& block, int step, LeftPair& left) {
  each_lane([&](const Lane& lane) {
    const FourWords low = coefficients(table, block, step, false, lane), high = coefficients(table, block, step, true, lane);
    EMOMEDIA_UNROLL
    for (int n = 0; n < 4; ++n) {
      left.low[lane].word[n] = low.word[n];
      left.high[lane].word[n] = high.word[n];
    }
  });
}

EMOMEDIA_DEVICE void take_coefficients(const AxisTable& table, const AxisBlock& block, int step, RightPair (&right)[2]) {
  each_lane([&](const Lane& lane) {
    const FourWords low = coefficients(table, block, step, false, lane), high = coefficients(table, block, step, true, lane);
    EMOMEDIA_UNROLL
    for (int n = 0; n < 4; ++n) {
      right[n / 2].low[lane].word[n % 2] = low.word[n];
      right[n / 2].high[lane].word[n % 2] = high.word[n];
    }
  });
}

template <bool kSwapped, bool kWide>
EMOMEDIA_DEVICE void take_samples(const Work& work, int row_group, int col_block, RightPair (&right)[2]) {
  each_lane([&](const Lane& lane) {
    EMOMEDIA_UNROLL
    for (int n = 0; n < 4; ++n) {
      const int group = row_group + lane.part() + n % 2 * kGroup;
      const std::uint32_t* word = work.words<kSwapped>(0, group, col_block, lane.row() + n / 2 * 8);
      right[n / 2].low[lane].word[n % 2] = *word;
      if constexpr (kWide) right[n / 2].high[lane].word[n % 2] = word[work.shape.plane_words];
    }
  });
}

EMOMEDIA_DEVICE void take_t(const Work& work, int row_block, int col_group, LeftPair& left) {
  each_lane([&](const Lane& lane) {
    const std::uint32_t* t = work.t(false, row_block, lane.row(), col_group + 2 * lane.part());
    const auto low = *reinterpret_cast<const FourWords*>(t);
    const auto high = *reinterpret_cast<const FourWords*>(t + work.shape.t_words());
    EMOMEDIA_UNROLL
    for (int n = 0; n < 4; ++n) {
      left.low[lane].word[n] = low.word[n];
      left.high[lane].word[n] = high.word[n];
    }
  });
}

// Four T, which lie in their words from byte `kFrom` on.
template <int kFrom>
EMOMEDIA_DEVICE SplitFour packed(const std::int32_t (&t)[kGroup]) {
  constexpr std::uint32_t kPairs = kFrom == 0 ? 0x5140 : 0x6251;
  const std::uint32_t t01 = chosen_bytes(static_cast<std::uint32_t>(t[0]), static_cast<std::uint32_t>(t[1]), kPairs);
  const std::uint32_t t23 = chosen_bytes(static_cast<std::uint32_t>(t[2]), static_cast<std::uint32_t>(t[3]), kPairs);
  return {chosen_bytes(t01, t23, 0x5410), chosen_bytes(t01, t23, 0x7632)};
}

// Of four sums, four T; of bytes T is the sum's middle two.
template <Samples kSamples>
EMOMEDIA_DEVICE SplitFour rounded(std::int32_t (&sum)[kGroup], int shift) {
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

// T of sixteen rows and columns, from their sums.
template <Samples kSamples>
EMOMEDIA_DEVICE void store_t(const Work& work, int row_block, int col_block, const SumsOfTwo& sums) {
  each_lane([&](const Lane& lane) {
    SplitFour t[2];
    EMOMEDIA_UNROLL
    for (int row = 0; row < 2; ++row) {
      std::int32_t four[kGroup];
      take_four(sums, lane, row, four);
      t[row] = rounded<kSamples>(four, work.plane.t_shift);
    }
    std::uint32_t* to = work.t(false, row_block, lane.row(), col_block * (kBlock / kGroup) + lane.part());
    *reinterpret_cast<TwoWords*>(to) = {{t[0].low, t[1].low}};
    *reinterpret_cast<TwoWords*>(to + work.shape.t_words()) = {{t[0].high, t[1].high}};
  });
}

// T of sixteen rows: every so many of the blocks of columns that the tile reads.
template <Samples kSamples, bool kSwapped, int kSteps>
EMOMEDIA_DEVICE void vertical(const Work& work, int warp, int warps) {
  constexpr bool kWide = kSamples != Samples::bytes, kSigned = kSamples == Samples::words;
  const AxisTable& table = work.plane.rows;
  const int blocks_log2 = work.shape.row_blocks_log2, row_block = warp & ((1 << blocks_log2) - 1);
  if (row_block * kBlock >= work.tile.rows) return;
  const AxisBlock block = table.block[work.tile.first_row_block + row_block];
  const int base = block.first - work.tile.first_row_group;
  Step kept[kSteps > 0 ? kSteps : 1];
  EMOMEDIA_UNROLL
  for (int step = 0; step < kSteps; ++step) take_coefficients(table, block, step, kept[step].left);
  const int col_blocks = parts(work.tile.col_groups * kGroup, kBlock), stride = warps >> blocks_log2;
  for (int col_block = warp >> blocks_log2; col_block < col_blocks; col_block += stride) {
    EMOMEDIA_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      take_samples<kSwapped, kWide>(work, base + step * kStepGroups, col_block, kept[step].right);
    }
    SumsOfTwo sums;
    const int steps = kSteps > 0 ? kSteps : block.steps;
    multiply<kWide, kSigned>(sums, steps, 1 << (work.plane.t_shift - 1), [&](int step) -> const Step& {
      if constexpr (kSteps > 0) return kept[step];
      take_coefficients(table, block, step, kept[0].left);
      take_samples<kSwapped, kWide>(work, base + step * kStepGroups, col_block, kept[0].right);
      return kept[0];
    });
    store_t<kSamples>(work, row_block, col_block, sums);
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
  std::uint8_t* at = plane.out + ((work.tile.first_row + row) * plane.out_stride + (work.tile.first_col + col) * plane.out_step);
  if (plane.out_joined && col + kGroup <= work.tile.cols) {
    *reinterpret_cast<FourOuts<Out>*>(at) = four;
    return;
  }
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) {
    if (col + n < work.tile.cols) *reinterpret_cast<Out*>(at + n * plane.out_step) = four.out[n];
  }
}

// Outputs of sixteen rows and columns, as far as the tile has them.
template <typename Out>
EMOMEDIA_DEVICE void store_block(const Work& work, int row_block, int col_block, const SumsOfTwo& sums) {
  each_lane([&](const Lane& lane) {
    EMOMEDIA_UNROLL
    for (int row = 0; row < 2; ++row) {
      const int number = row_block * kBlock + lane.row() + 8 * row;
      std::int32_t four[kGroup];
      take_four(sums, lane, row, four);
      if (number < work.tile.rows) store_outputs<Out>(work, number, col_block * kBlock + lane.part() * kGroup, four);
    }
  });
}

// Outputs of sixteen columns: every so many of the tile's blocks of rows.
template <typename Out, int kSteps>
EMOMEDIA_DEVICE void horizontal_of(const Work& work, int warp, int warps) {
  const AxisTable& table = work.plane.cols;
  const int blocks_log2 = work.shape.col_blocks_log2, col_block = warp & ((1 << blocks_log2) - 1);
  if (col_block * kBlock >= work.tile.cols) return;
  const AxisBlock block = table.block[work.tile.first_col_block + col_block];
  const int base = block.first - work.tile.first_col_group;
  Step kept[kSteps > 0 ? kSteps : 1];
  EMOMEDIA_UNROLL
  for (int step = 0; step < kSteps; ++step) take_coefficients(table, block, step, kept[step].right);
  const int row_blocks = parts(work.tile.rows, kBlock), stride = warps >> blocks_log2;
  for (int row_block = warp >> blocks_log2; row_block < row_blocks; row_block += stride) {
    EMOMEDIA_UNROLL
    for (int step = 0; step < kSteps; ++step) take_t(work, row_block, base + step * kStepGroups, kept[step].left);
    SumsOfTwo sums;
    const int steps = kSteps > 0 ? kSteps : block.steps;
    multiply<true, true>(sums, steps, 1 << (27 - work.plane.out_depth), [&](int step) -> const Step& {
      if constexpr (kSteps > 0) return kept[step];
      take_t(work, row_block, base + step * kStepGroups, kept[0].left);
      take_coefficients(table, block, step, kept[0].right);
      return kept[0];
    });
    store_block<Out>(work, row_block, col_block, sums);
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
