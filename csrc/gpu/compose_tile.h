// The compose contract (kernels/compose.h) for GPUs: one tile of a plane's output, made by a block of threads in
// three phases, with a barrier after each. One source for CUDA and for the host, where CI proves the arithmetic.
//
// GPUs have no multiply-add of two pairs of int16, but dp2a: two int16 times two bytes, summed in int32. So samples
// of two bytes and T are kept as planes of low and of high bytes, and sum(c * v) is taken as sum(c * low) + 256 *
// sum(c * high): the same bits, since int32 sums are exact modulo 2^32 and the contract's fit.
//
//   load        source samples to words of four rows of one column: that is what the vertical dp2a takes.
//               Turning and mirroring are nothing but steps from sample to sample
//   vertical    two rows of T, four columns at a time, to words of four columns
//   horizontal  one column of outputs
//
// Taps are laid out in groups of four, aligned to rows and columns that are multiples of four.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef __CUDACC__
#define EMOMEDIA_DEVICE __host__ __device__ __forceinline__
#else
#define EMOMEDIA_DEVICE inline
#endif

namespace emomedia::gpu {

inline constexpr int kGroup = 4;     // taps in a group, samples in a word
inline constexpr int kRowsABand = 2;  // outputs of a column that share the words they read
inline constexpr int kUsualGroups = 5;  // of 14 taps, as 9:4 has them: unrolled

struct alignas(8) PairOfTwo {
  std::int32_t x, y;
};
struct alignas(16) PairOfFour {
  std::int32_t x, y, z, w;
};
struct alignas(16) FourWords {
  std::uint32_t word[4];
};
// Four neighbouring T of a row: their low bytes and their high ones.
struct alignas(8) FourT {
  std::uint32_t low, high;
};

// Coefficients of one axis in groups; a pair of int16 an int32, the earlier tap in the low half.
struct RowTable {
  const std::int32_t* first = nullptr;   // per band, its first group
  const PairOfFour* coeff = nullptr;     // [band][groups]: x, y of the band's first row, z, w of its second
  int groups = 0;
};
struct ColTable {
  const std::int32_t* first = nullptr;  // per output
  const PairOfTwo* coeff = nullptr;     // [output][groups]
  int groups = 0;
};

// One plane of a half, and how it is cut into tiles.
struct PlaneLaunch {
  const std::uint8_t* source = nullptr;  // the upright plane's first sample
  std::ptrdiff_t across = 0, down = 0;   // bytes to the next sample of an upright row, to the next row
  int source_width = 0, source_height = 0;  // upright samples
  int sample_bytes = 1;
  int shift = 0;  // bits below the sample, as P010 has them
  int depth = 8;
  bool words_across = false, words_down = false;  // four bytes along that axis are a word of memory
  RowTable rows;
  ColTable cols;
  std::uint8_t* out = nullptr;
  std::ptrdiff_t out_stride = 0;
  int out_width = 0, out_height = 0, out_depth = 8;
  int tiles_across = 0, tiles = 0;
};

// The memory that a block's threads share.
struct TileShape {
  int cols = 64, rows = 32;  // outputs of a tile; rows are whole bands
  int word_groups = 0;       // of rows, the most that a tile reads
  int word_stride = 0;       // words from one group of rows to the next; a multiple of four
  int byte_planes = 1;
  int t_stride = 0;  // FourT from one row to the next

  EMOMEDIA_DEVICE std::size_t word_bytes() const {
    return static_cast<std::size_t>(byte_planes) * static_cast<std::size_t>(word_groups) *
           static_cast<std::size_t>(word_stride) * sizeof(std::uint32_t);
  }
  EMOMEDIA_DEVICE std::size_t bytes() const {
    return word_bytes() + static_cast<std::size_t>(rows) * static_cast<std::size_t>(t_stride) * sizeof(FourT);
  }
};

// A half: its three planes, composed by one launch.
struct HalfLaunch {
  PlaneLaunch plane[3];
  TileShape shape;

  EMOMEDIA_DEVICE int blocks() const { return plane[0].tiles + plane[1].tiles + plane[2].tiles; }
};

// c + the products of two int16 with the lower (or upper) two of four bytes.
template <bool kUpper, bool kSigned>
EMOMEDIA_DEVICE std::int32_t dp2a(std::int32_t pair, std::uint32_t bytes, std::int32_t c) {
#ifdef __CUDA_ARCH__
  std::int32_t sum;
  if constexpr (kUpper && kSigned) {
    asm("dp2a.hi.s32.s32 %0, %1, %2, %3;" : "=r"(sum) : "r"(pair), "r"(bytes), "r"(c));
  } else if constexpr (kUpper) {
    asm("dp2a.hi.s32.u32 %0, %1, %2, %3;" : "=r"(sum) : "r"(pair), "r"(bytes), "r"(c));
  } else if constexpr (kSigned) {
    asm("dp2a.lo.s32.s32 %0, %1, %2, %3;" : "=r"(sum) : "r"(pair), "r"(bytes), "r"(c));
  } else {
    asm("dp2a.lo.s32.u32 %0, %1, %2, %3;" : "=r"(sum) : "r"(pair), "r"(bytes), "r"(c));
  }
  return sum;
#else
  const auto byte = [bytes](int n) -> std::int32_t {
    const auto value = static_cast<std::uint8_t>(bytes >> (8 * n));
    return kSigned ? static_cast<std::int8_t>(value) : value;
  };
  constexpr int kFirst = kUpper ? 2 : 0;
  const auto first = static_cast<std::int16_t>(pair & 0xFFFF), second = static_cast<std::int16_t>(pair >> 16);
  const std::int64_t sum = std::int64_t{c} + first * byte(kFirst) + second * byte(kFirst + 1);
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
#endif
}

template <bool kSigned>
EMOMEDIA_DEVICE std::int32_t dot4(std::int32_t pair0, std::int32_t pair1, std::uint32_t bytes, std::int32_t c) {
  return dp2a<true, kSigned>(pair1, bytes, dp2a<false, kSigned>(pair0, bytes, c));
}

// Bytes of two words by their number, 0 to 7; the lowest four bits of `order` choose the lowest byte.
EMOMEDIA_DEVICE std::uint32_t chosen_bytes(std::uint32_t a, std::uint32_t b, std::uint32_t order) {
#ifdef __CUDA_ARCH__
  return __byte_perm(a, b, order);
#else
  const std::uint64_t both = std::uint64_t{b} << 32 | a;
  std::uint32_t chosen = 0;
  for (int n = 0; n < 4; ++n) {
    chosen |= static_cast<std::uint32_t>((both >> (8 * ((order >> (4 * n)) & 7))) & 0xFF) << (8 * n);
  }
  return chosen;
#endif
}

EMOMEDIA_DEVICE int smaller(int a, int b) { return a < b ? a : b; }
EMOMEDIA_DEVICE int clamped(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

// Where a tile lies: its outputs, and the groups of source samples that they need.
struct Tile {
  int first_col, cols, first_band, bands;
  int first_col_group, col_groups, first_row_group, row_groups;
};

EMOMEDIA_DEVICE Tile tile_of(const PlaneLaunch& plane, const TileShape& shape, int number) {
  Tile tile;
  const int down = number / plane.tiles_across, across = number % plane.tiles_across;
  tile.first_col = across * shape.cols;
  tile.cols = smaller(shape.cols, plane.out_width - tile.first_col);
  tile.first_band = down * shape.rows / kRowsABand;
  const int bands_left = (plane.out_height + kRowsABand - 1) / kRowsABand - tile.first_band;
  tile.bands = smaller(shape.rows / kRowsABand, bands_left);
  tile.first_col_group = plane.cols.first[tile.first_col];
  tile.col_groups = plane.cols.first[tile.first_col + tile.cols - 1] + plane.cols.groups - tile.first_col_group;
  tile.first_row_group = plane.rows.first[tile.first_band];
  tile.row_groups = plane.rows.first[tile.first_band + tile.bands - 1] + plane.rows.groups - tile.first_row_group;
  return tile;
}

// One plane's tile and the memory of its block.
struct Work {
  const PlaneLaunch& plane;
  const TileShape& shape;
  const Tile tile;
  std::uint8_t* shared;

  EMOMEDIA_DEVICE std::uint32_t* words(int byte_plane, int row_group) const {
    return reinterpret_cast<std::uint32_t*>(shared) +
           (byte_plane * shape.word_groups + row_group) * shape.word_stride;
  }
  EMOMEDIA_DEVICE FourT* t(int row) const {
    return reinterpret_cast<FourT*>(shared + shape.word_bytes()) + row * shape.t_stride;
  }
};

// A sample of the upright plane, 0 beyond it: there coefficients are 0 as well.
EMOMEDIA_DEVICE std::uint32_t sample_at(const PlaneLaunch& plane, int x, int y) {
  if (x >= plane.source_width || y >= plane.source_height) return 0;
  const std::uint8_t* at = plane.source + x * plane.across + y * plane.down;
  if (plane.sample_bytes == 1) return *at;
  return static_cast<std::uint32_t>(*reinterpret_cast<const std::uint16_t*>(at)) >> plane.shift;
}

// Four rows of one column, sample by sample.
EMOMEDIA_DEVICE void load_column(const Work& work, int row_group, int col) {
  const int x = work.tile.first_col_group * kGroup + col, y = (work.tile.first_row_group + row_group) * kGroup;
  std::uint32_t low = 0, high = 0;
  for (int n = 0; n < kGroup; ++n) {
    const std::uint32_t sample = sample_at(work.plane, x, y + n);
    low |= (sample & 0xFF) << (8 * n);
    high |= (sample >> 8 & 0xFF) << (8 * n);
  }
  work.words(0, row_group)[col] = low;
  if (work.plane.sample_bytes == 2) work.words(1, row_group)[col] = high;
}

// Four rows and four columns of bytes, as four words of memory along the rows.
EMOMEDIA_DEVICE void load_square(const Work& work, int row_group, int col_group) {
  const int x = (work.tile.first_col_group + col_group) * kGroup, y = (work.tile.first_row_group + row_group) * kGroup;
  std::uint32_t row[kGroup];
  for (int n = 0; n < kGroup; ++n) {
    const int there = smaller(y + n, work.plane.source_height - 1);  // beyond it coefficients are 0
    row[n] = *reinterpret_cast<const std::uint32_t*>(work.plane.source + x * work.plane.across + there * work.plane.down);
  }
  const std::uint32_t even01 = chosen_bytes(row[0], row[1], 0x5140), odd01 = chosen_bytes(row[0], row[1], 0x7362);
  const std::uint32_t even23 = chosen_bytes(row[2], row[3], 0x5140), odd23 = chosen_bytes(row[2], row[3], 0x7362);
  FourWords cols;
  cols.word[0] = chosen_bytes(even01, even23, 0x5410);
  cols.word[1] = chosen_bytes(even01, even23, 0x7632);
  cols.word[2] = chosen_bytes(odd01, odd23, 0x5410);
  cols.word[3] = chosen_bytes(odd01, odd23, 0x7632);
  *reinterpret_cast<FourWords*>(work.words(0, row_group) + col_group * kGroup) = cols;
}

// Four rows of one column that lie next to each other in memory, from the last where `down` is negative.
EMOMEDIA_DEVICE void load_word(const Work& work, int row_group, int col) {
  const int x = work.tile.first_col_group * kGroup + col, y = (work.tile.first_row_group + row_group) * kGroup;
  const std::uint8_t* at = work.plane.source + x * work.plane.across + y * work.plane.down;
  std::uint32_t word;
  if (work.plane.down > 0) {
    word = *reinterpret_cast<const std::uint32_t*>(at);
  } else {
    word = chosen_bytes(*reinterpret_cast<const std::uint32_t*>(at - (kGroup - 1)), 0, 0x0123);
  }
  work.words(0, row_group)[col] = word;
}

EMOMEDIA_DEVICE void load(const Work& work, int thread, int threads) {
  const PlaneLaunch& plane = work.plane;
  const Tile& tile = work.tile;
  const int cols = tile.col_groups * kGroup;
  if (plane.words_across) {
    for (int n = thread; n < tile.row_groups * tile.col_groups; n += threads) {
      const int row_group = n / tile.col_groups, col_group = n % tile.col_groups;
      const bool whole = (tile.first_col_group + col_group + 1) * kGroup <= plane.source_width;
      if (whole) {
        load_square(work, row_group, col_group);
      } else {
        for (int c = 0; c < kGroup; ++c) load_column(work, row_group, col_group * kGroup + c);
      }
    }
  } else if (plane.words_down) {
    for (int n = thread; n < tile.row_groups * cols; n += threads) {
      const int col = n / tile.row_groups, row_group = n % tile.row_groups;
      const bool whole = (tile.first_row_group + row_group + 1) * kGroup <= plane.source_height &&
                         tile.first_col_group * kGroup + col < plane.source_width;
      if (whole) {
        load_word(work, row_group, col);
      } else {
        load_column(work, row_group, col);
      }
    }
  } else {
    for (int n = thread; n < tile.row_groups * cols; n += threads) load_column(work, n / cols, n % cols);
  }
}

// Low and high bytes of four T.
EMOMEDIA_DEVICE FourT packed(const std::int32_t (&t)[kGroup]) {
  const std::uint32_t t01 = chosen_bytes(static_cast<std::uint32_t>(t[0]), static_cast<std::uint32_t>(t[1]), 0x5140);
  const std::uint32_t t23 = chosen_bytes(static_cast<std::uint32_t>(t[2]), static_cast<std::uint32_t>(t[3]), 0x5140);
  return {chosen_bytes(t01, t23, 0x5410), chosen_bytes(t01, t23, 0x7632)};
}

// One band of T, four columns: kGroups as the table has them, or 0 where that is not known beforehand.
template <int kBytes, int kGroups>
EMOMEDIA_DEVICE void vertical_band(const Work& work, int band, int col_group) {
  const PlaneLaunch& plane = work.plane;
  const int groups = kGroups > 0 ? kGroups : plane.rows.groups;
  const int number = work.tile.first_band + band;
  const PairOfFour* coeff = plane.rows.coeff + number * groups;
  const int first = plane.rows.first[number] - work.tile.first_row_group;
  std::int32_t low[kRowsABand][kGroup], high[kRowsABand][kGroup];
  for (int c = 0; c < kGroup; ++c) {
    low[0][c] = low[1][c] = 1 << (plane.depth - 1);
    high[0][c] = high[1][c] = 0;
  }
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
  for (int g = 0; g < groups; ++g) {
    const PairOfFour pairs = coeff[g];
    const FourWords words = *reinterpret_cast<const FourWords*>(work.words(0, first + g) + col_group * kGroup);
    for (int c = 0; c < kGroup; ++c) {
      low[0][c] = dot4<false>(pairs.x, pairs.y, words.word[c], low[0][c]);
      low[1][c] = dot4<false>(pairs.z, pairs.w, words.word[c], low[1][c]);
    }
    if constexpr (kBytes == 2) {
      const FourWords above = *reinterpret_cast<const FourWords*>(work.words(1, first + g) + col_group * kGroup);
      for (int c = 0; c < kGroup; ++c) {
        high[0][c] = dot4<true>(pairs.x, pairs.y, above.word[c], high[0][c]);
        high[1][c] = dot4<true>(pairs.z, pairs.w, above.word[c], high[1][c]);
      }
    }
  }
  for (int r = 0; r < kRowsABand; ++r) {
    std::int32_t t[kGroup];
    for (int c = 0; c < kGroup; ++c) {
      t[c] = (low[r][c] + high[r][c] * 256) >> plane.depth;
      if constexpr (kBytes == 2) t[c] = clamped(t[c], INT16_MIN, INT16_MAX);
    }
    work.t(band * kRowsABand + r)[col_group] = packed(t);
  }
}

template <int kBytes, int kGroups>
EMOMEDIA_DEVICE void vertical(const Work& work, int thread, int threads) {
  const int col_groups = work.tile.col_groups;
  for (int n = thread; n < work.tile.bands * col_groups; n += threads) {
    vertical_band<kBytes, kGroups>(work, n / col_groups, n % col_groups);
  }
}

EMOMEDIA_DEVICE void put(const PlaneLaunch& plane, int x, int y, std::int32_t sum) {
  const int value = clamped(sum >> (28 - plane.out_depth), 0, (1 << plane.out_depth) - 1);
  std::uint8_t* row = plane.out + y * plane.out_stride;
  if (plane.out_depth > 8) {
    reinterpret_cast<std::uint16_t*>(row)[x] = static_cast<std::uint16_t>(value);
  } else {
    row[x] = static_cast<std::uint8_t>(value);
  }
}

// One column of the tile's outputs, every `step`-th row from `row` on.
template <int kGroups>
EMOMEDIA_DEVICE void horizontal_column(const Work& work, int col, int row, int step) {
  const PlaneLaunch& plane = work.plane;
  const int groups = kGroups > 0 ? kGroups : plane.cols.groups;
  const int x = work.tile.first_col + col;
  const PairOfTwo* coeff = plane.cols.coeff + x * groups;
  const int first = plane.cols.first[x] - work.tile.first_col_group;
  PairOfTwo kept[kGroups > 0 ? kGroups : 1];
  for (int g = 0; g < kGroups; ++g) kept[g] = coeff[g];
  const int first_row = work.tile.first_band * kRowsABand;
  const int rows = smaller(work.tile.bands * kRowsABand, plane.out_height - first_row);
  for (; row < rows; row += step) {
    const FourT* t = work.t(row) + first;
    std::int32_t low = 1 << (27 - plane.out_depth), high = 0;
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
    for (int g = 0; g < groups; ++g) {
      const PairOfTwo pairs = kGroups > 0 ? kept[g] : coeff[g];
      low = dot4<false>(pairs.x, pairs.y, t[g].low, low);
      high = dot4<true>(pairs.x, pairs.y, t[g].high, high);
    }
    put(plane, x, first_row + row, low + high * 256);
  }
}

// Threads lie along the columns, as many rows of them as there are.
template <int kGroups>
EMOMEDIA_DEVICE void horizontal(const Work& work, int thread, int threads) {
  const int cols = work.shape.cols;
  const int col = thread % cols;
  if (col < work.tile.cols) horizontal_column<kGroups>(work, col, thread / cols, threads / cols);
}

}  // namespace emomedia::gpu
