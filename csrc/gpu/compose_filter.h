// The kernel's second and third phase: T from source samples, outputs from T, by the warps of a block. Coefficients
// beyond an output's own are 0; what they are multiplied with does not matter.
#pragma once

#include "gpu/compose_warp.h"
#include "gpu/compose_work.h"

namespace emomedia::gpu {

struct alignas(8) TwoWords {
  std::uint32_t first, second;
};

// Sums of products, by what these are worth: 1, 256 or 65,536.
struct Products {
  PerLane<Sums> one, of256, of65536;

  EMOMEDIA_DEVICE explicit Products(std::int32_t rounding) {
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int n = 0; n < 4; ++n) {
        one[lane].sum[n] = rounding;
        of256[lane].sum[n] = of65536[lane].sum[n] = 0;
      }
    });
  }

  template <bool kWide>
  EMOMEDIA_DEVICE std::int32_t joined(const Lane& lane, int n) const {
    auto sum = static_cast<std::uint32_t>(of256[lane].sum[n]);
    if constexpr (kWide) sum += static_cast<std::uint32_t>(of65536[lane].sum[n]) << 8;
    return static_cast<std::int32_t>((sum << 8) + static_cast<std::uint32_t>(one[lane].sum[n]));
  }
};

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

// A block of outputs along one axis: where in the tile's groups it begins to read, and how often kStepGroups of them.
struct Reach {
  int base, steps;
};

template <int kSteps>
EMOMEDIA_DEVICE Reach reach_of(const AxisTable& table, int from, int end, int first_group) {
  const int first = table.first[from];
  const int steps = kSteps > 0 ? kSteps : parts(table.first[smaller(from + kBlock, end) - 1] + table.groups - first, kStepGroups);
  return {first - first_group, steps};
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

// Four sums that a lane has next to each other, where two products have its even and its odd columns.
template <bool kWide>
EMOMEDIA_DEVICE void take_four(const Products (&products)[2], const Lane& lane, int row, std::int32_t (&sum)[kGroup]) {
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) sum[n] = products[n % 2].joined<kWide>(lane, 2 * row + n / 2);
}

// Of sixteen rows: their coefficients from a group on, as the products' left side.
EMOMEDIA_DEVICE void take_rows(const Coefficients (&rows)[2], const Lane& lane, int group, Left& low, Left& high) {
  EMOMEDIA_UNROLL
  for (int n = 0; n < 4; ++n) {
    const FourPairs four = rows[n % 2].at(group + lane.part() + n / 2 * kGroup);
    low.word[n] = four.low;
    high.word[n] = four.high;
  }
}

// Of sixteen columns of source samples, those of the even and of the odd ones, as the right side.
template <bool kSwapped>
EMOMEDIA_DEVICE void take_samples(const Work& work, int byte_plane, const Lane& lane, int group, int col_block, Right& even,
                                  Right& odd) {
  const std::uint32_t* words = work.words(byte_plane);
  const int stride = work.shape.word_stride;
  EMOMEDIA_UNROLL
  for (int n = 0; n < 2; ++n) {
    const int row_group = group + lane.part() + n * kGroup;
    if constexpr (kSwapped) {
      const int col = col_block * kBlock + 2 * lane.row();
      even.word[n] = words[Words<true>::place(row_group, col, stride)];
      odd.word[n] = words[Words<true>::place(row_group, col + 1, stride)];
    } else {
      const int place = Words<false>::place(row_group, col_block * kGroup + lane.row() / 2, stride) + lane.row() % 2 * 2;
      const TwoWords two = *reinterpret_cast<const TwoWords*>(words + place);
      even.word[n] = two.first;
      odd.word[n] = two.second;
    }
  }
}

// T of sixteen rows, all columns that the tile reads or every so many blocks of them.
template <Samples kSamples, bool kSwapped, int kSteps>
EMOMEDIA_DEVICE void vertical(const Work& work, int warp, int warps) {
  constexpr int kKept = kSteps > 0 ? kSteps : 1;
  constexpr bool kWide = kSamples != Samples::bytes, kSigned = kSamples == Samples::words;
  const Tile& tile = work.tile;
  const AxisTable& table = work.plane.rows;
  const int row_block = warp & ((1 << work.shape.row_blocks_log2) - 1);
  const int from = tile.first_row + row_block * kBlock, end = tile.first_row + tile.rows;
  if (from >= end) return;
  const Reach reach = reach_of<kSteps>(table, from, end, tile.first_row_group);
  PerLane<Left> low[kKept], high[kKept];
  const auto take = [&](int step, int kept) {
    each_lane([&](const Lane& lane) {
      const Coefficients rows[2] = {{table, from + lane.row(), end, tile.first_row_group},
                                    {table, from + lane.row() + 8, end, tile.first_row_group}};
      take_rows(rows, lane, reach.base + step * kStepGroups, low[kept][lane], high[kept][lane]);
    });
  };
  EMOMEDIA_UNROLL
  for (int step = 0; step < kSteps; ++step) take(step, step);
  const int col_blocks = parts(tile.col_groups, kGroup);
  for (int block = warp >> work.shape.row_blocks_log2; block < col_blocks; block += warps >> work.shape.row_blocks_log2) {
    const std::int32_t rounding = 1 << (work.plane.t_shift - 1);
    Products products[2] = {Products(rounding), Products(rounding)};
    EMOMEDIA_UNROLL
    for (int step = 0; step < reach.steps; ++step) {
      const int kept = kSteps > 0 ? step : 0;
      if constexpr (kSteps == 0) take(step, kept);
      PerLane<Right> samples[2], upper[2];
      each_lane([&](const Lane& lane) {
        const int group = reach.base + step * kStepGroups;
        take_samples<kSwapped>(work, 0, lane, group, block, samples[0][lane], samples[1][lane]);
        if constexpr (kWide) take_samples<kSwapped>(work, 1, lane, group, block, upper[0][lane], upper[1][lane]);
      });
      EMOMEDIA_UNROLL
      for (int n = 0; n < 2; ++n) {
        multiply_add<false, false>(products[n].one, low[kept], samples[n]);
        multiply_add<true, false>(products[n].of256, high[kept], samples[n]);
        if constexpr (kWide) {
          multiply_add<false, kSigned>(products[n].of256, low[kept], upper[n]);
          multiply_add<true, kSigned>(products[n].of65536, high[kept], upper[n]);
        }
      }
    }
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int row = 0; row < 2; ++row) {
        std::int32_t sum[kGroup];
        take_four<kWide>(products, lane, row, sum);
        work.t(row_block * kBlock + lane.row() + 8 * row)[block * kGroup + lane.part()] =
            rounded<kSamples>(sum, work.plane.t_shift);
      }
    });
  }
}

template <typename Out>
struct alignas(kGroup * sizeof(Out)) FourOuts {
  Out out[kGroup];
};

// Four outputs of a row of the tile, from sums.
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

// Sixteen columns of outputs, all of the tile's rows or every so many blocks of them.
template <typename Out, int kSteps>
EMOMEDIA_DEVICE void horizontal_block(const Work& work, int warp, int warps) {
  constexpr int kKept = kSteps > 0 ? kSteps : 1;
  const Tile& tile = work.tile;
  const AxisTable& table = work.plane.cols;
  const int col_block = warp & ((1 << work.shape.col_blocks_log2) - 1);
  const int from = tile.first_col + col_block * kBlock, end = tile.first_col + tile.cols;
  if (from >= end) return;
  const Reach reach = reach_of<kSteps>(table, from, end, tile.first_col_group);
  PerLane<Right> low[kKept][2], high[kKept][2];  // of the even columns, of the odd ones
  const auto take = [&](int step, int kept) {
    each_lane([&](const Lane& lane) {
      EMOMEDIA_UNROLL
      for (int n = 0; n < 2; ++n) {
        const Coefficients col(table, from + 2 * lane.row() + n, end, tile.first_col_group);
        EMOMEDIA_UNROLL
        for (int word = 0; word < 2; ++word) {
          const FourPairs four = col.at(reach.base + step * kStepGroups + lane.part() + word * kGroup);
          low[kept][n][lane].word[word] = four.low;
          high[kept][n][lane].word[word] = four.high;
        }
      }
    });
  };
  EMOMEDIA_UNROLL
  for (int step = 0; step < kSteps; ++step) take(step, step);
  const int row_blocks = parts(tile.rows, kBlock);
  for (int block = warp >> work.shape.col_blocks_log2; block < row_blocks; block += warps >> work.shape.col_blocks_log2) {
    const std::int32_t rounding = 1 << (27 - work.plane.out_depth);
    Products products[2] = {Products(rounding), Products(rounding)};
    EMOMEDIA_UNROLL
    for (int step = 0; step < reach.steps; ++step) {
      const int kept = kSteps > 0 ? step : 0;
      if constexpr (kSteps == 0) take(step, kept);
      PerLane<Left> t, upper;
      each_lane([&](const Lane& lane) {
        EMOMEDIA_UNROLL
        for (int n = 0; n < 4; ++n) {
          const FourPairs four = work.t(block * kBlock + lane.row() + n % 2 * 8)[reach.base + step * kStepGroups +
                                                                                 lane.part() + n / 2 * kGroup];
          t[lane].word[n] = four.low;
          upper[lane].word[n] = four.high;
        }
      });
      EMOMEDIA_UNROLL
      for (int n = 0; n < 2; ++n) {
        multiply_add<false, false>(products[n].one, t, low[kept][n]);
        multiply_add<false, true>(products[n].of256, t, high[kept][n]);
        multiply_add<true, false>(products[n].of256, upper, low[kept][n]);
        multiply_add<true, true>(products[n].of65536, upper, high[kept][n]);
      }
    }
    each_lane([&](const Lane& lane) {
      const int col = col_block * kBlock + lane.part() * kGroup;
      EMOMEDIA_UNROLL
      for (int row = 0; row < 2; ++row) {
        const int number = block * kBlock + lane.row() + 8 * row;
        if (number >= tile.rows) continue;
        std::int32_t sum[kGroup];
        take_four<true>(products, lane, row, sum);
        store_outputs<Out>(work, number, col, sum);
      }
    });
  }
}

template <int kSteps>
EMOMEDIA_DEVICE void horizontal(const Work& work, int warp, int warps) {
  if (work.plane.out_depth > 8) {
    horizontal_block<std::uint16_t, kSteps>(work, warp, warps);
  } else {
    horizontal_block<std::uint8_t, kSteps>(work, warp, warps);
  }
}

}  // namespace emomedia::gpu
