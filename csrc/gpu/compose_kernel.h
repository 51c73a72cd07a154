// The kernel itself, for nvcc alone. How many thread blocks a multiprocessor holds at a time decides how many
// registers a thread may have. Each file that includes it has kernels of its own, as nvcc would have it anyway: of functions
// that files shared, one would prepare the kernel of one file and launch that of another.
#pragma once

#include <cuda_runtime_api.h>

#include "gpu/compose_block.h"
#include "gpu/compose_plan.h"

namespace emomedia::gpu {
namespace {

template <typename Version, int kAtATime>
__global__ void __launch_bounds__(kThreads, kAtATime) compose_half(const __grid_constant__ HalfLaunch launch) {
  extern __shared__ FourWords shared[];
  const Place place = place_of(launch, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y));
  if (!has_work(launch, place)) return;
  const Work work = work_of(launch, place, shared);
  const int thread = static_cast<int>(threadIdx.x), warp = thread / kLanes;
  Version::load(work, thread, kThreads);
  __syncthreads();
  Version::vertical(work, warp, kWarps);
  __syncthreads();
  Version::horizontal(work, warp, kWarps);
}

// To be called once for each device and version, before the first launch. `carveout` is what of a multiprocessor's memory
// is not left to the cache, in percent.
template <typename Version, int kAtATime>
cudaError_t prepare(int carveout) {
  const auto kernel = compose_half<Version, kAtATime>;
  const cudaError_t code =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(kMostShared));
  if (code != cudaSuccess) return code;
  return cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, carveout);
}

template <typename Version, int kAtATime>
cudaError_t launch(const HalfLaunch& half, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(grid_width(half)), static_cast<unsigned>(grid_height(half)));
  compose_half<Version, kAtATime><<<grid, kThreads, half.shape.bytes(), stream>>>(half);
  return cudaGetLastError();
}

}  // namespace
}  // namespace emomedia::gpu
