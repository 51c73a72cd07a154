#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include "gpu/compose_warp.h"
#include "gpu_bench.h"

namespace emomedia::bench {
namespace {

constexpr int kChains = 8, kRounds = 4096, kProducts = 512, kThreads = 256;
constexpr int kMacs = 16 * 8 * 32;  // of one product, by 32 threads

void require(cudaError_t code) {
  if (code != cudaSuccess) throw std::runtime_error(cudaGetErrorString(code));
}

__global__ void multiply_add_ints(std::int32_t* out, std::int32_t a, std::int32_t b) {
  std::int32_t sum[kChains];
  for (int c = 0; c < kChains; ++c) sum[c] = static_cast<std::int32_t>(threadIdx.x) + c;
  for (int n = 0; n < kRounds; ++n) {
#pragma unroll
    for (int c = 0; c < kChains; ++c) sum[c] = sum[c] * a + b;
  }
  std::int32_t all = 0;
  for (int c = 0; c < kChains; ++c) all ^= sum[c];
  out[blockIdx.x * blockDim.x + threadIdx.x] = all;
}

__global__ void multiply_add_bytes(std::int32_t* out, std::uint32_t a, std::uint32_t b) {
  gpu::PerLane<gpu::Sums> sums[kChains] = {};
  for (int c = 0; c < kChains; ++c) sums[c].value[0].sum[0] = c;  // or a compiler may make one of them all
  const gpu::PerLane<gpu::Left> left{{{{a, b, a + b, threadIdx.x}}}};
  const gpu::PerLane<gpu::Right> right{{{{b, a}}}};
  for (int n = 0; n < kProducts; ++n) {
#pragma unroll
    for (int c = 0; c < kChains; ++c) gpu::multiply_add<true, false>(sums[c], left, right);
  }
  std::int32_t all = 0;
  for (int c = 0; c < kChains; ++c) all ^= sums[c].value[0].sum[0];
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
  const double chains = static_cast<double>(blocks) * kThreads * kChains;
  const double ints = seconds_of([&] { multiply_add_ints<<<blocks, kThreads>>>(out, 3, 5); });
  const double bytes = seconds_of([&] { multiply_add_bytes<<<blocks, kThreads>>>(out, 3, 5); });
  require(cudaGetLastError());
  std::printf("{\"what\": \"ceilings\", \"gpu\": \"%s\", \"copy_bytes_s\": %.4g, \"imad_s\": %.4g, \"mma_s\": %.4g}\n",
              card.name, 2.0 * kBytes / copy, chains * kRounds / ints, chains / gpu::kLanes * kProducts * kMacs / bytes);
}

}  // namespace emomedia::bench
