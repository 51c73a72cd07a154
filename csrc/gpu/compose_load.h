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
    std::uint32_t* to = work.words<kSwapped>(0, row_group, col_group >> 2, place_of_col((col_group & 3) * kGroup + c));
    *to = square.low.word[c];
    if constexpr (kSamples != Samples::bytes) to[work.shape.plane_words] = square.high.word[c];
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
EMOMEDIA_DEVICE SplitFour gathered(const Gather& gather, const FourWords& raw, int from) {
  constexpr bool kHigh = kSamples != Samples::bytes;
  if constexpr (kStep == 2) {
    return {chosen_bytes(raw.word[from], raw.word[from + 1], gather.low),
            kHigh ? chosen_bytes(raw.word[from], raw.word[from + 1], gather.high) : 0};
  } else {
    const std::uint32_t a = chosen_bytes(raw.word[0], raw.word[1], gather.pair);
    const std::uint32_t b = chosen_bytes(raw.word[2], raw.word[3], gather.pair);
    return {chosen_bytes(a, b, gather.low), kHigh ? chosen_bytes(a, b, gather.high) : 0};
  }
}

// Words of four columns by words of four rows, of which `left` and `right` choose the first two and the last two columns.
EMOMEDIA_DEVICE FourWords transposed(const FourWords& in, std::uint32_t left = 0x5140, std::uint32_t right = 0x7362) {
  const std::uint32_t left01 = chosen_bytes(in.word[0], in.word[1], left);
  const std::uint32_t right01 = chosen_bytes(in.word[0], in.word[1], right);
  const std::uint32_t left23 = chosen_bytes(in.word[2], in.word[3], left);
  const std::uint32_t right23 = chosen_bytes(in.word[2], in.word[3], right);
  return {{chosen_bytes(left01, left23, 0x5410), chosen_bytes(left01, left23, 0x7632),
           chosen_bytes(right01, right23, 0x5410), chosen_bytes(right01, right23, 0x7632)}};
}

// So many of them to the memory that threads share, by one instruction: of assignments nvcc makes more.
template <int kCount>
EMOMEDIA_DEVICE void store_words(std::uint32_t* to, const std::uint32_t* words) {
#ifdef __CUDA_ARCH__
  const auto at = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (kCount == 4) {
    asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(words[0]), "r"(words[1]), "r"(words[2]),
                 "r"(words[3])
                 : "memory");
  } else if constexpr (kCount == 2) {
    asm volatile("st.shared.v2.u32 [%0], {%1, %2};" ::"r"(at), "r"(words[0]), "r"(words[1]) : "memory");
  } else {
    *to = words[0];
  }
#else
  for (int n = 0; n < kCount; ++n) to[n] = words[n];
#endif
}

// A thread's unit: sixteen bytes of each of four rows of memory, which are up to four squares next to each other.
struct Unit {
  FourWords raw[kGroup];
  bool reversed;  // the last square lies first
};

template <Samples kSamples, int kStep>
EMOMEDIA_DEVICE Square square_of(const Gather& gather, const Unit& unit, int from) {
  Square square;
  FourWords low, high;
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) {
    if constexpr (kStep == 1) {
      low.word[n] = unit.raw[n].word[from];
    } else {
      const SplitFour four = gathered<kSamples, kStep>(gather, unit.raw[n], from);
      low.word[n] = four.low;
      high.word[n] = four.high;
    }
  }
  square.low = kStep == 1 ? transposed(low, gather.low, gather.high) : transposed(low);
  if constexpr (kSamples != Samples::bytes) square.high = transposed(high);
  return square;
}

// Of an upright plane: groups of columns along a row.
template <Samples kSamples, int kStep>
EMOMEDIA_DEVICE void store_upright(const Work& work, const Gather& gather, const Unit& unit, int row_group, int col_group) {
  constexpr int kSquares = kGroup / kStep;
  EMOMEDIA_UNROLL
  for (int s = 0; s < kSquares; ++s) {
    const Square square = square_of<kSamples, kStep>(gather, unit, s * kStep);
    const int group = col_group + (unit.reversed ? kSquares - 1 - s : s), place = place_of_col((group & 3) * kGroup);
    std::uint32_t* first = work.words<false>(0, row_group, group >> 2, place);
    std::uint32_t* second = work.words<false>(0, row_group, group >> 2, place_of_col(2) + place);
    store_words<2>(first, square.low.word);
    store_words<2>(second, square.low.word + 2);
    if constexpr (kSamples != Samples::bytes) {
      store_words<2>(first + work.shape.plane_words, square.high.word);
      store_words<2>(second + work.shape.plane_words, square.high.word + 2);
    }
  }
}

// Of one on its side: groups of rows down four columns.
template <Samples kSamples, int kStep>
EMOMEDIA_DEVICE void store_on_side(const Work& work, const Gather& gather, const Unit& unit, int row_group, int col_group) {
  constexpr int kSquares = kGroup / kStep;
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) {
    FourWords low, high;
    EMOMEDIA_UNROLL
    for (int s = 0; s < kSquares; ++s) {
      SplitFour in_order, turned;
      if constexpr (kStep == 1) {
        in_order = {unit.raw[n].word[s], 0};
        turned = {chosen_bytes(unit.raw[n].word[kSquares - 1 - s], 0, 0x0123), 0};
      } else {
        in_order = gathered<kSamples, kStep>(gather, unit.raw[n], s * kStep);
        turned = gathered<kSamples, kStep>(gather, unit.raw[n], (kSquares - 1 - s) * kStep);
      }
      low.word[s] = unit.reversed ? turned.low : in_order.low;
      high.word[s] = unit.reversed ? turned.high : in_order.high;
    }
    std::uint32_t* to = work.words<true>(0, row_group, col_group >> 2, place_of_col((col_group & 3) * kGroup + n));
    store_words<kSquares>(to, low.word);
    if constexpr (kSamples != Samples::bytes) store_words<kSquares>(to + work.shape.plane_words, high.word);
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
  const int along = kSwapped ? plane.down : plane.across, next = kSwapped ? plane.across : plane.down;
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
    Unit unit;
    unit.reversed = along < 0;
    EMOMEDIA_UNROLL
    for (int n = 0; n < kGroup; ++n) {
      unit.raw[n] = *reinterpret_cast<const FourWords*>(plane.gathered + (begin * along + smaller(row + n, last) * next));
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
