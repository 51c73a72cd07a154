// The kernel's first phase: a tile's source samples, to words of four rows of one column.
#pragma once

#include "gpu/compose_work.h"

namespace emomedia::gpu {

// A sample of the upright plane, 0 beyond it: there coefficients are 0 as well.
template <Samples kSamples>
EMOMEDIA_DEVICE std::uint32_t sample_at(const PlaneLaunch& plane, int x, int y) {
  if (x >= plane.source_width || y >= plane.source_height) return 0;
  const std::uint8_t* at = plane.source + x * plane.across + y * plane.down;
  return kSamples == Samples::bytes ? *at : *reinterpret_cast<const std::uint16_t*>(at);
}

// Four columns, each a word of four rows: their low bytes and their high ones.
struct Square {
  FourWords low, high;
};

// From the upright plane's column `x` and row `y` on, sample by sample.
template <Samples kSamples>
EMOMEDIA_DEVICE_RARE Square square_at(const PlaneLaunch& plane, int x, int y) {
  Square square;
  for (int c = 0; c < kGroup; ++c) {
    square.low.word[c] = square.high.word[c] = 0;
    for (int n = 0; n < kGroup; ++n) {
      const std::uint32_t sample = sample_at<kSamples>(plane, x + c, y + n);
      square.low.word[c] |= (sample & 0xFF) << (8 * n);
      square.high.word[c] |= (sample >> 8) << (8 * n);
    }
  }
  return square;
}

template <Samples kSamples, bool kSwapped>
EMOMEDIA_DEVICE void load_square(const Work& work, int row_group, int col_group) {
  const Tile& tile = work.tile;
  const Square square = square_at<kSamples>(work.plane, (tile.first_col_group + col_group) * kGroup,
                                            (tile.first_row_group + row_group) * kGroup);
  EMOMEDIA_UNROLL
  for (int c = 0; c < kGroup; ++c) {
    const int stride = work.shape.word_stride;
    const int place = kSwapped ? Words<true>::place(row_group, col_group * kGroup + c, stride)
                               : Words<false>::place(row_group, col_group, stride) + c;
    work.words(0)[place] = square.low.word[c];
    if constexpr (kSamples != Samples::bytes) work.words(1)[place] = square.high.word[c];
  }
}

template <Samples kSamples, bool kSwapped>
EMOMEDIA_DEVICE void load_by_samples(const Work& work, int thread, int threads) {
  const Tile& tile = work.tile;
  for (int n = thread; n < tile.row_groups * tile.col_groups; n += threads) {
    load_square<kSamples, kSwapped>(work, n / tile.col_groups, n % tile.col_groups);
  }
}

// Of the sixteen bytes that were read at once, the four samples from word `from` on.
template <Samples kSamples, int kStep>
EMOMEDIA_DEVICE FourPairs gathered(const Gather& gather, const FourWords& raw, int from) {
  constexpr bool kHigh = kSamples != Samples::bytes;
  if constexpr (kStep == 1) {
    return {chosen_bytes(raw.word[from], 0, gather.low), 0};
  } else if constexpr (kStep == 2) {
    return {chosen_bytes(raw.word[from], raw.word[from + 1], gather.low),
            kHigh ? chosen_bytes(raw.word[from], raw.word[from + 1], gather.high) : 0};
  } else {
    const std::uint32_t a = chosen_bytes(raw.word[0], raw.word[1], gather.pair);
    const std::uint32_t b = chosen_bytes(raw.word[2], raw.word[3], gather.pair);
    return {chosen_bytes(a, b, gather.low), kHigh ? chosen_bytes(a, b, gather.high) : 0};
  }
}

// Words of four columns by words of four rows.
EMOMEDIA_DEVICE FourWords transposed(const FourWords& in) {
  const std::uint32_t even01 = chosen_bytes(in.word[0], in.word[1], 0x5140);
  const std::uint32_t odd01 = chosen_bytes(in.word[0], in.word[1], 0x7362);
  const std::uint32_t even23 = chosen_bytes(in.word[2], in.word[3], 0x5140);
  const std::uint32_t odd23 = chosen_bytes(in.word[2], in.word[3], 0x7362);
  return {{chosen_bytes(even01, even23, 0x5410), chosen_bytes(even01, even23, 0x7632),
           chosen_bytes(odd01, odd23, 0x5410), chosen_bytes(odd01, odd23, 0x7632)}};
}

// To the memory that threads share, by one instruction: of assignments nvcc makes more.
template <int kCount>
EMOMEDIA_DEVICE void store_words(std::uint32_t* to, const FourWords& words) {
#ifdef __CUDA_ARCH__
  const auto at = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (kCount == 4) {
    asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(words.word[0]), "r"(words.word[1]),
                 "r"(words.word[2]), "r"(words.word[3])
                 : "memory");
  } else if constexpr (kCount == 2) {
    asm volatile("st.shared.v2.u32 [%0], {%1, %2};" ::"r"(at), "r"(words.word[0]), "r"(words.word[1]) : "memory");
  } else {
    *to = words.word[0];
  }
#else
  for (int n = 0; n < kCount; ++n) to[n] = words.word[n];
#endif
}

// A thread's unit: sixteen bytes of each of four rows of memory, which are up to four squares next to each other.
struct Unit {
  FourWords raw[kGroup];
  bool reversed;  // the last square lies first
};

// Of an upright plane: a row of groups of columns.
template <Samples kSamples, int kStep>
EMOMEDIA_DEVICE void store_upright(const Work& work, const Gather& gather, const Unit& unit, int row_group, int col_group) {
  constexpr int kSquares = kGroup / kStep;
  EMOMEDIA_UNROLL
  for (int s = 0; s < kSquares; ++s) {
    FourWords low, high;
    EMOMEDIA_UNROLL
    for (int n = 0; n < kGroup; ++n) {
      const FourPairs four = gathered<kSamples, kStep>(gather, unit.raw[n], s * kStep);
      low.word[n] = four.low;
      high.word[n] = four.high;
    }
    const int group = col_group + (unit.reversed ? kSquares - 1 - s : s);
    const int place = Words<false>::place(row_group, group, work.shape.word_stride);
    store_words<kGroup>(work.words(0) + place, transposed(low));
    if constexpr (kSamples != Samples::bytes) store_words<kGroup>(work.words(1) + place, transposed(high));
  }
}

// Of one on its side: four columns of groups of rows.
template <Samples kSamples, int kStep>
EMOMEDIA_DEVICE void store_on_side(const Work& work, const Gather& gather, const Unit& unit, int row_group, int col_group) {
  constexpr int kSquares = kGroup / kStep;
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) {
    FourPairs four[kSquares];
    EMOMEDIA_UNROLL
    for (int s = 0; s < kSquares; ++s) four[s] = gathered<kSamples, kStep>(gather, unit.raw[n], s * kStep);
    FourWords low, high;
    EMOMEDIA_UNROLL
    for (int s = 0; s < kSquares; ++s) {
      low.word[s] = unit.reversed ? four[kSquares - 1 - s].low : four[s].low;
      high.word[s] = unit.reversed ? four[kSquares - 1 - s].high : four[s].high;
    }
    const int place = Words<true>::place(row_group, col_group * kGroup + n, work.shape.word_stride);
    store_words<kSquares>(work.words(0) + place, low);
    if constexpr (kSamples != Samples::bytes) store_words<kSquares>(work.words(1) + place, high);
  }
}

// One thread's way through a grid.
class Share {
 public:
  EMOMEDIA_DEVICE Share(const Split& split, int thread)
      : split_(split), y_(static_cast<int>(static_cast<std::uint32_t>(thread) * split.inverse >> 16)) {
    x_ = thread - y_ * split.width;
  }

  EMOMEDIA_DEVICE int x() const { return x_; }
  EMOMEDIA_DEVICE int y() const { return y_; }
  EMOMEDIA_DEVICE void go_on() {
    x_ += split_.step_x;
    y_ += split_.step_y;
    if (x_ >= split_.width) {
      x_ -= split_.width;
      ++y_;
    }
  }

 private:
  const Split split_;
  int y_, x_;
};

// All of a unit is read before any of it is used, so that what waits for memory waits once. Rows of memory beyond the
// plane are not read, but its last one in their place; nor are units beyond it, which nothing is stored of: whatever is
// there, coefficients are 0.
template <Samples kSamples, bool kSwapped, int kStep>
EMOMEDIA_DEVICE void load_by_units(const Work& work, int thread) {
  constexpr int kSquares = kGroup / kStep;
  const PlaneLaunch& plane = work.plane;
  const Tile& tile = work.tile;
  const std::ptrdiff_t along = kSwapped ? plane.down : plane.across;
  const auto next = static_cast<int>(kSwapped ? plane.across : plane.down);
  const int length = kSwapped ? plane.source_height : plane.source_width;
  const int last = (kSwapped ? plane.source_width : plane.source_height) - 1;
  const int first_group = kSwapped ? tile.first_row_group : tile.first_col_group;
  const int first_other = kSwapped ? tile.first_col_group : tile.first_row_group;
  const int groups = kSwapped ? tile.row_groups : tile.col_groups, height = kSwapped ? tile.col_groups : tile.row_groups;
  const Gather gather = plane.gather;
  for (Share share(plane.loading, thread); share.y() < height; share.go_on()) {
    const int group = share.x() * kSquares, other = share.y();
    const int begin = (first_group + group) * kGroup, row = (first_other + other) * kGroup;
    if (group >= groups || begin >= length) continue;
    if (begin + kSquares * kGroup > length) {
      for (int s = 0; s < kSquares; ++s) {
        load_square<kSamples, kSwapped>(work, kSwapped ? group + s : other, kSwapped ? other : group + s);
      }
      continue;
    }
    const std::uint8_t* at = plane.gathered + begin * along;
    Unit unit;
    unit.reversed = along < 0;
    EMOMEDIA_UNROLL
    for (int n = 0; n < kGroup; ++n) {
      unit.raw[n] = *reinterpret_cast<const FourWords*>(at + smaller(row + n, last) * std::ptrdiff_t{next});
    }
    if constexpr (kSwapped) {
      store_on_side<kSamples, kStep>(work, gather, unit, group, other);
    } else {
      store_upright<kSamples, kStep>(work, gather, unit, other, group);
    }
  }
}

// Neighbouring threads read neighbouring bytes, sixteen at a time where samples lie so.
template <Samples kSamples, bool kSwapped>
EMOMEDIA_DEVICE void load(const Work& work, int thread, int threads) {
  const int step = work.plane.gather.step;
  if (kSamples == Samples::bytes && step == 1) {
    load_by_units<kSamples, kSwapped, 1>(work, thread);
  } else if (step == 2) {
    load_by_units<kSamples, kSwapped, 2>(work, thread);
  } else if (kSamples != Samples::bytes && step == 4) {
    load_by_units<kSamples, kSwapped, 4>(work, thread);
  } else {
    load_by_samples<kSamples, kSwapped>(work, thread, threads);
  }
}

}  // namespace emomedia::gpu
