// A warp of a GPU: its lanes' registers, and the products of matrices of bytes that its lanes make together. On the
// host one thread is a whole warp, and does for each lane in turn what the lanes do at once.
#pragma once

#include <cstdint>

#include "gpu/device_code.h"

namespace emomedia::gpu {

inline constexpr int kLanes = 32;

#ifdef __CUDA_ARCH__
inline constexpr int kLanesHere = 1;
#else
inline constexpr int kLanesHere = kLanes;
#endif

// `row` and `part` are where a lane stands in matrices (below).
struct Lane {
  int number, place;  // of the warp; in what this thread holds
  EMOMEDIA_DEVICE int row() const { return number >> 2; }
  EMOMEDIA_DEVICE int part() const { return number & 3; }
};

template <typename Value>
struct PerLane {
  Value value[kLanesHere];
  EMOMEDIA_DEVICE Value& operator[](const Lane& lane) { return value[lane.place]; }
  EMOMEDIA_DEVICE const Value& operator[](const Lane& lane) const { return value[lane.place]; }
};

template <typename Work>
EMOMEDIA_DEVICE void each_lane(const Work& work) {
#ifdef __CUDA_ARCH__
  work(Lane{static_cast<int>(threadIdx.x & (kLanes - 1)), 0});
#else
  for (int n = 0; n < kLanes; ++n) work(Lane{n, n});
#endif
}

// A lane's part of three matrices, as NVIDIA's PTX lays them out for mma.m16n8k32 of bytes: of 16 rows times 32, four
// words of four bytes; of 32 times 8 columns, two; of 16 times 8 sums, four.
//
//   Left   rows `row`, `row` + 8, `row`, `row` + 8; bytes 4 * `part` .. + 3 of the first sixteen, twice, then of the others
//   Right  column `row`; bytes as above, of the first sixteen, then of the others
//   Sums   row `row`, columns 2 * `part` and the next, then the same of row `row` + 8
struct Left {
  std::uint32_t word[4];
};
struct Right {
  std::uint32_t word[2];
};
struct Sums {
  std::int32_t sum[4];
};

#ifdef __CUDA_ARCH__

#if __CUDA_ARCH__ >= 800
#define EMOMEDIA_MULTIPLY_ADD(left, right)                                                                            \
  asm("mma.sync.aligned.m16n8k32.row.col.s32." left "." right ".s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" \
      : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])                                                                \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#else  // in four parts
#define EMOMEDIA_MULTIPLY_ADD_PART(left, right, first, n, k)                                         \
  asm("mma.sync.aligned.m8n8k16.row.col.s32." left "." right ".s32 {%0,%1}, {%2}, {%3}, {%0,%1};" \
      : "+r"(c[first]), "+r"(c[first + 1])                                                        \
      : "r"(a[n]), "r"(b[k]))
#define EMOMEDIA_MULTIPLY_ADD(left, right)           \
  EMOMEDIA_MULTIPLY_ADD_PART(left, right, 0, 0, 0);  \
  EMOMEDIA_MULTIPLY_ADD_PART(left, right, 2, 1, 0);  \
  EMOMEDIA_MULTIPLY_ADD_PART(left, right, 0, 2, 1);  \
  EMOMEDIA_MULTIPLY_ADD_PART(left, right, 2, 3, 1)
#endif

#else

template <bool kSigned>
inline int byte_of(std::uint32_t word, int n) {
  const auto byte = static_cast<std::uint8_t>(word >> (8 * n));
  return kSigned ? static_cast<std::int8_t>(byte) : byte;
}

#endif

// sums += left * right, of bytes with or without a sign.
template <bool kLeftSigned, bool kRightSigned>
EMOMEDIA_DEVICE void multiply_add(PerLane<Sums>& sums, const PerLane<Left>& left, const PerLane<Right>& right) {
#ifdef __CUDA_ARCH__
  const std::uint32_t(&a)[4] = left.value[0].word;
  const std::uint32_t(&b)[2] = right.value[0].word;
  std::int32_t(&c)[4] = sums.value[0].sum;
  if constexpr (kLeftSigned && kRightSigned) {
    EMOMEDIA_MULTIPLY_ADD("s8", "s8");
  } else if constexpr (kLeftSigned) {
    EMOMEDIA_MULTIPLY_ADD("s8", "u8");
  } else if constexpr (kRightSigned) {
    EMOMEDIA_MULTIPLY_ADD("u8", "s8");
  } else {
    EMOMEDIA_MULTIPLY_ADD("u8", "u8");
  }
#else
  int a[16][32], b[8][32];
  for (int n = 0; n < kLanes; ++n) {
    for (int byte = 0; byte < 4; ++byte) {
      const int row = n / 4, k = n % 4 * 4 + byte;
      for (int word = 0; word < 4; ++word) {
        a[row + word % 2 * 8][k + word / 2 * 16] = byte_of<kLeftSigned>(left.value[n].word[word], byte);
      }
      for (int word = 0; word < 2; ++word) b[row][k + word * 16] = byte_of<kRightSigned>(right.value[n].word[word], byte);
    }
  }
  for (int n = 0; n < kLanes; ++n) {
    for (int place = 0; place < 4; ++place) {
      const int row = n / 4 + place / 2 * 8, col = n % 4 * 2 + place % 2;
      std::int32_t& sum = sums.value[n].sum[place];
      for (int k = 0; k < 32; ++k) sum += a[row][k] * b[col][k];
    }
  }
#endif
}

}  // namespace emomedia::gpu
