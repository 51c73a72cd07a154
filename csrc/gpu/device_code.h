// What code that nvcc and the host's compiler both build is written with.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define EMOMEDIA_DEVICE __host__ __device__ __forceinline__
#define EMOMEDIA_DEVICE_RARE __host__ __device__ __noinline__  // keeps its registers out of what calls it
#else
#define EMOMEDIA_DEVICE inline
#define EMOMEDIA_DEVICE_RARE inline
#endif
#ifdef __CUDA_ARCH__
#define EMOMEDIA_UNROLL _Pragma("unroll")
#else
#define EMOMEDIA_UNROLL
#endif

namespace emomedia::gpu {

EMOMEDIA_DEVICE int smaller(int a, int b) { return a < b ? a : b; }
EMOMEDIA_DEVICE int clamped(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

// How many parts of that size hold `count`.
EMOMEDIA_DEVICE int parts(int count, int size) { return (count + size - 1) / size; }

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

}  // namespace emomedia::gpu
