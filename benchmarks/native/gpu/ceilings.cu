#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include "gpu/compose_tile.h"
#include "gpu_bench.h"

namespace emomedia::bench {
namespace {

constexpr int kChains = 8, kRounds = 4096, kThreads = 256;

void require(cudaError_t code) {
  if (code != cudaSuccess) throw std::runtime_error(cudaGetErrorString(code));
}

template <bool kDot>
__global__ void multiply_add(std::int32_t* out, std::int32_t a, std::int32_t b) {
  std::int32_t sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = static_cast<std::int32_t>(threadIdx.x) + c;
  for (int n = 0; n < kRounds; ++n) {
#pragma unroll
    for (int c = 0; c < kChains; ++c) {
      sum[c] = kDot ? gpu::dp2a<false, false>(a, static_cast<std::uint32_t>(sum[c]), b) : sum[c] * a + b;
    }
  }
  std::int32_t all = 0;
  for (int c = 0; c < kChains; ++c) all ^= sum[c];
  out[blockIdx.x * blockDim.x + threadIdx.x] = all;
}

template <typename Work>
double seconds_of(const Work& work) {
  cudaEvent_t begin, end;
  require(cudaEventCreate(&begin));
  require(cudaEventCreate(&end));
  work();
  float best = 1e9F;
  for (int n = 0; n < 5; ++n) {
    require(cudaEventRecord(begin));
    work();
    require(cudaEventRecord(end));
    require(cudaEventSynchronize(end));
    float ms = 0;
    require(cudaEventElapsedTime(&ms, begin, end));
    best = ms < best ? ms : best;
  }
  return best / 1e3;
}

}  // namespace

void measure_ceilings() {
  cudaDeviceProp card{};
  require(cudaGetDeviceProperties(&card, 0));
  constexpr std::size_t kBytes = std::size_t{1} << 30;
  void *from = nullptr, *to = nullptr;
  require(cudaMalloc(&from, kBytes));
  require(cudaMalloc(&to, kBytes));
  const double copy = seconds_of([&] { require(cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice)); });
  const int blocks = card.multiProcessorCount * 8;
  auto* out = static_cast<std::int32_t*>(to);
  const double operations = static_cast<double>(blocks) * kThreads * kChains * kRounds;
  const double imad = seconds_of([&] { multiply_add<false><<<blocks, kThreads>>>(out, 3, 5); });
  const double dot = seconds_of([&] { multiply_add<true><<<blocks, kThreads>>>(out, 3, 5); });
  require(cudaGetLastError());
  std::printf("{\"what\": \"ceilings\", \"gpu\": \"%s\", \"copy_bytes_s\": %.4g, \"imad_s\": %.4g, \"dp2a_s\": %.4g}\n",
              card.name, 2.0 * kBytes / copy, operations / imad, operations / dot);
}

}  // namespace emomedia::bench
