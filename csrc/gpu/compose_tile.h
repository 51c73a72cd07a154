// The compose contract (kernels/compose.h) for GPUs: one tile of a plane's output, made by a block of threads in
// three phases, with a barrier after each. One source for CUDA and for the host, where CI proves the arithmetic.
//
// GPUs have no multiply-add of two pairs of int16, but dp2a: two int16 times two bytes, summed in int32. So samples
// of two bytes and T are kept as planes of low and of high bytes, and sum(c * v) is taken as sum(c * low) + 256 *
// sum(c * high): the same bits, since int32 sums are exact modulo 2^32 and the contract's fit.
//
//   load        source samples to words of four rows of one column: that is what the vertical dp2a takes. Turning
//               and mirroring are nothing but steps from sample to sample. With them the tile's part of the rows' table
//   vertical    two rows of T, four columns at a time, to words of four columns
//   horizontal  one column of outputs
//
// Taps are laid out in groups of four, aligned to rows and columns that are multiples of four.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef __CUDACC__
#include <cuda_pipeline_primitives.h>

#define EMOMEDIA_DEVICE __host__ __device__ __forceinline__
#define EMOMEDIA_DEVICE_RARE __host__ __device__ __noinline__  // keeps its registers out of what calls it
#define EMOMEDIA_UNROLL _Pragma("unroll")
#else
#define EMOMEDIA_DEVICE inline
#define EMOMEDIA_DEVICE_RARE inline
#define EMOMEDIA_UNROLL
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

// What a source's samples are: bytes; int16; or the upper bits of two bytes, as P010 has them.
enum class Samples { bytes, words, upper };

// How four samples that lie next to each other in memory become a word of their low bytes, and one of their high
// ones. `step` bytes lie between two; with four of them, the first choice leaves pairs of samples.
struct Gather {
  int step = 0;  // 1, 2 or 4; 0 where sixteen bytes can't be read at once
  std::uint32_t pair = 0, low = 0, high = 0;  // as chosen_bytes() takes them
};

// How threads share out a grid that is `width` places wide: which one a thread begins at, and how far it goes on
// from one to the next. Made on the host, so that no thread divides.
struct Split {
  int width = 1;
  std::uint32_t inverse = 0;  // 2^16 / width, rounded up: exact for as many threads as a block has
  int step_x = 0, step_y = 0;  // threads, as rows and what is left
};

// One plane of a half, and how it is cut into tiles.
struct PlaneLaunch {
  const std::uint8_t* source = nullptr;  // the upright plane's first sample
  std::ptrdiff_t across = 0, down = 0;   // bytes to the next sample of an upright row, to the next row
  int source_width = 0, source_height = 0;  // upright samples
  const std::uint8_t* gathered = nullptr;   // the sixteen bytes that the first one is among
  Gather gather;
  int unit_cols = 1, unit_rows = 1;  // groups of columns and of rows that sixteen bytes hold: one of them is 1
  Split loading;                     // the source's squares, as many at a time, along memory
  int t_shift = 8;
  RowTable rows;
  ColTable cols;
  std::uint8_t* out = nullptr;
  std::ptrdiff_t out_stride = 0;
  int out_width = 0, out_height = 0, out_depth = 8;
  int out_step = 1, out_shift = 0;  // bytes to the next output; of those of two bytes, bits below each
  int tiles_across = 0, tiles_down = 0;
};

// The memory that a block's threads share.
struct TileShape {
  int cols = 64, rows = 32;  // outputs of a tile; rows are whole bands
  int cols_log2 = 6;
  int row_groups = 0, col_groups = 0;  // the most that a tile reads
  int word_rows = 0;                   // rows of words, in each plane of bytes
  Split filtering;                      // bands
  int word_stride = 0;       // words from one group of rows to the next; an odd number of fours
  int byte_planes = 1;
  int t_stride = 0;      // FourT from one row to the next
  int table_groups = 0;  // of the rows' tables, the longest

  EMOMEDIA_DEVICE std::size_t word_bytes() const {
    return static_cast<std::size_t>(byte_planes) * static_cast<std::size_t>(word_rows) *
           static_cast<std::size_t>(word_stride) * sizeof(std::uint32_t);
  }
  EMOMEDIA_DEVICE std::size_t t_bytes() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(t_stride) * sizeof(FourT);
  }
  EMOMEDIA_DEVICE int bands() const { return rows / kRowsABand; }
  EMOMEDIA_DEVICE std::size_t coeff_bytes() const {
    return static_cast<std::size_t>(bands()) * static_cast<std::size_t>(table_groups) * sizeof(PairOfFour);
  }
  EMOMEDIA_DEVICE std::size_t bytes() const {
    return word_bytes() + t_bytes() + coeff_bytes() + static_cast<std::size_t>(bands()) * sizeof(std::int32_t);
  }
};

// A half: its three planes, composed by one launch.
struct HalfLaunch {
  PlaneLaunch plane[3];
  TileShape shape;
  Samples samples = Samples::bytes;
  bool swapped = false;  // upright rows are columns in memory
  bool usual = false;    // every table has kUsualGroups
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

// Where a tile lies: its outputs, and the groups of source samples that they need. Before those it has room for others
// that are read with them.
struct Tile {
  int first_col, cols, first_band, bands;
  int first_col_group, col_groups, first_row_group, row_groups;
  int cols_before, rows_before;
};

EMOMEDIA_DEVICE Tile tile_of(const PlaneLaunch& plane, const TileShape& shape, int across, int down) {
  Tile tile;
  tile.first_col = across * shape.cols;
  tile.cols = smaller(shape.cols, plane.out_width - tile.first_col);
  tile.first_band = down * (shape.rows / kRowsABand);
  tile.bands = smaller(shape.rows / kRowsABand, (plane.out_height + kRowsABand - 1) / kRowsABand - tile.first_band);
  tile.first_col_group = plane.cols.first[tile.first_col];
  tile.col_groups = plane.cols.first[tile.first_col + tile.cols - 1] + plane.cols.groups - tile.first_col_group;
  tile.first_row_group = plane.rows.first[tile.first_band];
  tile.row_groups = plane.rows.first[tile.first_band + tile.bands - 1] + plane.rows.groups - tile.first_row_group;
  tile.cols_before = tile.first_col_group & (plane.unit_cols - 1);
  tile.rows_before = tile.first_row_group & (plane.unit_rows - 1);
  return tile;
}

// One plane's tile and the memory of its block.
struct Work {
  const PlaneLaunch& plane;
  const TileShape& shape;
  const Tile tile;
  std::uint8_t* shared;

  // A square's words, by its groups within the tile.
  EMOMEDIA_DEVICE std::uint32_t* words(int byte_plane, int row_group, int col_group) const {
    const int row = byte_plane * shape.word_rows + row_group + tile.rows_before, col = col_group + tile.cols_before;
    return reinterpret_cast<std::uint32_t*>(shared) + row * shape.word_stride + col * kGroup;
  }
  EMOMEDIA_DEVICE FourT* t(int row) const {
    return reinterpret_cast<FourT*>(shared + shape.word_bytes()) + row * shape.t_stride;
  }
  // Of the tile's bands: the rows' table.
  EMOMEDIA_DEVICE PairOfFour* coeff() const {
    return reinterpret_cast<PairOfFour*>(shared + shape.word_bytes() + shape.t_bytes());
  }
  EMOMEDIA_DEVICE std::int32_t* first() const {
    return reinterpret_cast<std::int32_t*>(shared + shape.word_bytes() + shape.t_bytes() + shape.coeff_bytes());
  }
};

// A sample of the upright plane, 0 beyond it: there coefficients are 0 as well.
template <Samples kSamples>
EMOMEDIA_DEVICE std::uint32_t sample_at(const PlaneLaunch& plane, int x, int y) {
  if (x >= plane.source_width || y >= plane.source_height) return 0;
  const std::uint8_t* at = plane.source + x * plane.across + y * plane.down;
  return kSamples == Samples::bytes ? *at : *reinterpret_cast<const std::uint16_t*>(at);
}

// Four samples' bytes.
struct Four {
  std::uint32_t low, high;
};

// Of the sixteen bytes that were read at once, the four samples from word `from` on.
template <Samples kSamples, int kStep>
EMOMEDIA_DEVICE Four gathered(const Gather& gather, const FourWords& raw, int from) {
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

// Words of four columns by words of four rows, or the other way round.
EMOMEDIA_DEVICE FourWords transposed(const FourWords& in) {
  const std::uint32_t even01 = chosen_bytes(in.word[0], in.word[1], 0x5140);
  const std::uint32_t odd01 = chosen_bytes(in.word[0], in.word[1], 0x7362);
  const std::uint32_t even23 = chosen_bytes(in.word[2], in.word[3], 0x5140);
  const std::uint32_t odd23 = chosen_bytes(in.word[2], in.word[3], 0x7362);
  return {{chosen_bytes(even01, even23, 0x5410), chosen_bytes(even01, even23, 0x7632),
           chosen_bytes(odd01, odd23, 0x5410), chosen_bytes(odd01, odd23, 0x7632)}};
}

// Four columns, each a word of four rows: their low bytes and their high ones.
struct Square {
  FourWords low, high;
};

template <Samples kSamples>
EMOMEDIA_DEVICE_RARE Square square_by_samples(const PlaneLaunch& plane, int x, int y) {
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

template <Samples kSamples, bool kSwapped, int kStep>
EMOMEDIA_DEVICE Square square_of(const Gather& gather, const FourWords (&raw)[kGroup], int from) {
  Square square;
  EMOMEDIA_UNROLL
  for (int n = 0; n < kGroup; ++n) {
    const Four four = gathered<kSamples, kStep>(gather, raw[n], from);
    square.low.word[n] = four.low;
    square.high.word[n] = four.high;
  }
  if constexpr (!kSwapped) {
    square.low = transposed(square.low);
    if constexpr (kSamples != Samples::bytes) square.high = transposed(square.high);
  }
  return square;
}

// To the memory that threads share, by one instruction: of an assignment nvcc makes four where the plane is upright, and
// in each of them threads wait for those whose squares lie four apart.
EMOMEDIA_DEVICE void store_four(std::uint32_t* to, const FourWords& four) {
#ifdef __CUDA_ARCH__
  asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};"
               :
               : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(to))), "r"(four.word[0]), "r"(four.word[1]),
                 "r"(four.word[2]), "r"(four.word[3])
               : "memory");
#else
  *reinterpret_cast<FourWords*>(to) = four;
#endif
}

template <Samples kSamples>
EMOMEDIA_DEVICE void store_square(const Work& work, int row_group, int col_group, const Square& square) {
  store_four(work.words(0, row_group, col_group), square.low);
  if constexpr (kSamples != Samples::bytes) store_four(work.words(1, row_group, col_group), square.high);
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

// Sixteen bytes of four rows at a time, which are up to four squares: all of it is read before any of it is used, so
// that what waits for memory waits once.
template <Samples kSamples, bool kSwapped, int kStep>
EMOMEDIA_DEVICE void load_by_units(const Work& work, int thread) {
  constexpr int kSquares = 4 / kStep;
  const PlaneLaunch& plane = work.plane;
  const Tile& tile = work.tile;
  const std::ptrdiff_t along = kSwapped ? plane.down : plane.across, next = kSwapped ? plane.across : plane.down;
  const int before = kSwapped ? tile.rows_before : tile.cols_before;
  const int groups = kSwapped ? tile.row_groups : tile.col_groups, height = kSwapped ? tile.col_groups : tile.row_groups;
  const int first_group = (kSwapped ? tile.first_row_group : tile.first_col_group) - before;
  const int first_other = kSwapped ? tile.first_col_group : tile.first_row_group;
  const std::uint8_t* first = plane.gathered + first_group * kGroup * along + first_other * kGroup * next;
  const Gather gather = plane.gather;
  const int width = (groups + before + kSquares - 1) / kSquares;
  const int across = static_cast<int>(along) * kSquares * kGroup, down = static_cast<int>(next) * kGroup;
  for (Share share(plane.loading, thread); share.y() < height; share.go_on()) {
    if (share.x() >= width) continue;
    const std::uint8_t* at = first + (share.x() * across + share.y() * down);
    FourWords raw[kGroup];
    EMOMEDIA_UNROLL
    for (int n = 0; n < kGroup; ++n) raw[n] = *reinterpret_cast<const FourWords*>(at + n * next);
    EMOMEDIA_UNROLL
    for (int s = 0; s < kSquares; ++s) {
      const int group = share.x() * kSquares + (along < 0 ? kSquares - 1 - s : s) - before;
      store_square<kSamples>(work, kSwapped ? group : share.y(), kSwapped ? share.y() : group,
                             square_of<kSamples, kSwapped, kStep>(gather, raw, s * kStep));
    }
  }
}

template <Samples kSamples>
EMOMEDIA_DEVICE void load_by_samples(const Work& work, int thread, int threads) {
  const Tile& tile = work.tile;
  for (int n = thread; n < tile.row_groups * tile.col_groups; n += threads) {
    const int row_group = n / tile.col_groups, col_group = n % tile.col_groups;
    const int x = (tile.first_col_group + col_group) * kGroup, y = (tile.first_row_group + row_group) * kGroup;
    store_square<kSamples>(work, row_group, col_group, square_by_samples<kSamples>(work.plane, x, y));
  }
}

// A copy to the memory that threads share, which goes on beside what follows, until wait_for_copies().
template <typename Value>
EMOMEDIA_DEVICE void begin_copy(Value* to, const Value* from) {
#ifdef __CUDA_ARCH__
  __pipeline_memcpy_async(to, from, sizeof(Value));
#else
  *to = *from;
#endif
}

EMOMEDIA_DEVICE void wait_for_copies() {
#ifdef __CUDA_ARCH__
  __pipeline_commit();
  __pipeline_wait_prior(0);
#endif
}

EMOMEDIA_DEVICE void begin_loading_table(const Work& work, int thread, int threads) {
  const RowTable& rows = work.plane.rows;
  const int band = work.tile.first_band, bands = work.tile.bands;
  for (int n = thread; n < bands * rows.groups; n += threads) {
    begin_copy(work.coeff() + n, rows.coeff + band * rows.groups + n);
    if (n < bands) begin_copy(work.first() + n, rows.first + band + n);
  }
}

// Whether all that load_by_units() reads of the tile is within the plane.
EMOMEDIA_DEVICE bool is_inside(const PlaneLaunch& plane, const Tile& tile) {
  const auto end = [](int first, int groups, int unit) { return ((first + groups + unit - 1) & -unit) * kGroup; };
  return end(tile.first_col_group, tile.col_groups, plane.unit_cols) <= plane.source_width &&
         end(tile.first_row_group, tile.row_groups, plane.unit_rows) <= plane.source_height;
}

// Neighbouring threads read neighbouring bytes, sixteen at a time where samples lie so.
template <Samples kSamples, bool kSwapped>
EMOMEDIA_DEVICE void load(const Work& work, int thread, int threads) {
  begin_loading_table(work, thread, threads);
  const int step = is_inside(work.plane, work.tile) ? work.plane.gather.step : 0;
  if (kSamples == Samples::bytes && step == 1) {
    load_by_units<kSamples, kSwapped, 1>(work, thread);
  } else if (step == 2) {
    load_by_units<kSamples, kSwapped, 2>(work, thread);
  } else if (kSamples != Samples::bytes && step == 4) {
    load_by_units<kSamples, kSwapped, 4>(work, thread);
  } else {
    load_by_samples<kSamples>(work, thread, threads);
  }
  wait_for_copies();
}

// Low and high bytes of four T, which lie in their words from byte `kFrom` on.
template <int kFrom>
EMOMEDIA_DEVICE FourT packed(const std::int32_t (&t)[kGroup]) {
  constexpr std::uint32_t kPairs = kFrom == 0 ? 0x5140 : 0x6251;
  const std::uint32_t t01 = chosen_bytes(static_cast<std::uint32_t>(t[0]), static_cast<std::uint32_t>(t[1]), kPairs);
  const std::uint32_t t23 = chosen_bytes(static_cast<std::uint32_t>(t[2]), static_cast<std::uint32_t>(t[3]), kPairs);
  return {chosen_bytes(t01, t23, 0x5410), chosen_bytes(t01, t23, 0x7632)};
}

// T of the sums of low and of high bytes; of bytes T is the sum's middle two.
template <Samples kSamples>
EMOMEDIA_DEVICE FourT rounded(const std::int32_t (&low)[kGroup], const std::int32_t (&high)[kGroup], int shift) {
  if constexpr (kSamples == Samples::bytes) {
    return packed<1>(low);
  } else {
    std::int32_t t[kGroup];
    for (int c = 0; c < kGroup; ++c) {
      t[c] = (low[c] + high[c] * 256) >> shift;
      if constexpr (kSamples == Samples::words) t[c] = clamped(t[c], INT16_MIN, INT16_MAX);
    }
    return packed<0>(t);
  }
}

// One band of T, four columns: kGroups as the table has them, or 0 where that is not known beforehand.
template <Samples kSamples, int kGroups>
EMOMEDIA_DEVICE void vertical_band(const Work& work, int band, int col_group) {
  const PlaneLaunch& plane = work.plane;
  const int groups = kGroups > 0 ? kGroups : plane.rows.groups;
  const PairOfFour* coeff = work.coeff() + band * groups;
  const int first = work.first()[band] - work.tile.first_row_group;
  const std::uint32_t* words = work.words(0, first, col_group);
  const std::uint32_t* above = work.words(1, first, col_group);
  std::int32_t low[kRowsABand][kGroup], high[kRowsABand][kGroup];
  for (int c = 0; c < kGroup; ++c) {
    low[0][c] = low[1][c] = 1 << (plane.t_shift - 1);
    high[0][c] = high[1][c] = 0;
  }
  EMOMEDIA_UNROLL
  for (int g = 0; g < groups; ++g) {
    const PairOfFour pairs = coeff[g];
    const FourWords four = *reinterpret_cast<const FourWords*>(words + g * work.shape.word_stride);
    for (int c = 0; c < kGroup; ++c) {
      low[0][c] = dot4<false>(pairs.x, pairs.y, four.word[c], low[0][c]);
      low[1][c] = dot4<false>(pairs.z, pairs.w, four.word[c], low[1][c]);
    }
    if constexpr (kSamples != Samples::bytes) {
      constexpr bool kSigned = kSamples == Samples::words;
      const FourWords upper = *reinterpret_cast<const FourWords*>(above + g * work.shape.word_stride);
      for (int c = 0; c < kGroup; ++c) {
        high[0][c] = dot4<kSigned>(pairs.x, pairs.y, upper.word[c], high[0][c]);
        high[1][c] = dot4<kSigned>(pairs.z, pairs.w, upper.word[c], high[1][c]);
      }
    }
  }
  FourT* t = work.t(band * kRowsABand) + col_group;
  t[0] = rounded<kSamples>(low[0], high[0], plane.t_shift);
  t[work.shape.t_stride] = rounded<kSamples>(low[1], high[1], plane.t_shift);
}

template <Samples kSamples, int kGroups>
EMOMEDIA_DEVICE void vertical(const Work& work, int thread) {
  for (Share share(work.shape.filtering, thread); share.y() < work.tile.bands; share.go_on()) {
    if (share.x() < work.tile.col_groups) vertical_band<kSamples, kGroups>(work, share.y(), share.x());
  }
}

// One column of the tile's outputs, every `step`-th row from `row` on.
template <typename Out, int kGroups>
EMOMEDIA_DEVICE void horizontal_column(const Work& work, int col, int row, int step) {
  const PlaneLaunch& plane = work.plane;
  const int groups = kGroups > 0 ? kGroups : plane.cols.groups;
  const int x = work.tile.first_col + col;
  const PairOfTwo* coeff = plane.cols.coeff + x * groups;
  PairOfTwo kept[kGroups > 0 ? kGroups : 1];
  for (int g = 0; g < kGroups; ++g) kept[g] = coeff[g];
  const int first_row = work.tile.first_band * kRowsABand;
  const int rows = smaller(work.tile.bands * kRowsABand, plane.out_height - first_row);
  const int shift = 28 - plane.out_depth, top = (1 << plane.out_depth) - 1;
  const FourT* t = work.t(row) + (plane.cols.first[x] - work.tile.first_col_group);
  constexpr bool kBytes = sizeof(Out) == 1;
  std::uint8_t* out = plane.out + (first_row + row) * plane.out_stride + x * (kBytes ? 1 : plane.out_step);
  const std::ptrdiff_t out_step = step * plane.out_stride;
  const int t_step = step * work.shape.t_stride;
  for (; row < rows; row += step) {
    std::int32_t low = 1 << (shift - 1), high = 0;
  EMOMEDIA_UNROLL
    for (int g = 0; g < groups; ++g) {
      const PairOfTwo pairs = kGroups > 0 ? kept[g] : coeff[g];
      const FourT four = t[g];
      low = dot4<false>(pairs.x, pairs.y, four.low, low);
      high = dot4<true>(pairs.x, pairs.y, four.high, high);
    }
    const int value = clamped((low + high * 256) >> shift, 0, top);
    *reinterpret_cast<Out*>(out) = static_cast<Out>(kBytes ? value : value << plane.out_shift);
    t += t_step;
    out += out_step;
  }
}

// Threads lie along the columns, as many rows of them as there are.
template <int kGroups>
EMOMEDIA_DEVICE void horizontal(const Work& work, int thread, int threads) {
  const int log2 = work.shape.cols_log2, col = thread & (work.shape.cols - 1);
  if (col >= work.tile.cols) return;
  if (work.plane.out_depth > 8) {
    horizontal_column<std::uint16_t, kGroups>(work, col, thread >> log2, threads >> log2);
  } else {
    horizontal_column<std::uint8_t, kGroups>(work, col, thread >> log2, threads >> log2);
  }
}

}  // namespace emomedia::gpu
