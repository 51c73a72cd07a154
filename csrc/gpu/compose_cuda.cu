#include "gpu/compose_block.h"
#include "gpu/compose_cuda.h"
#include "gpu/compose_plan.h"

namespace emomedia::gpu {
namespace {

__global__ void __launch_bounds__(kThreads) compose_half(const __grid_constant__ HalfLaunch launch) {
  extern __shared__ FourWords shared[];
  const Work work = work_of(launch, static_cast<int>(blockIdx.x), reinterpret_cast<std::uint8_t*>(shared));
  const int thread = static_cast<int>(threadIdx.x);
  load(work, thread, kThreads);
  __syncthreads();
  vertical_of(work, thread, kThreads);
  __syncthreads();
  horizontal_of(work, thread, kThreads);
}

}  // namespace

cudaError_t compose_on_stream(const HalfLaunch& launch, cudaStream_t stream) {
  compose_half<<<static_cast<unsigned>(launch.blocks()), kThreads, launch.shape.bytes(), stream>>>(launch);
  return cudaGetLastError();
}

cudaError_t allow_most_shared() {
  return cudaFuncSetAttribute(compose_half, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(kMostShared));
}

}  // namespace emomedia::gpu
