#include "gpu/compose_block.h"
#include "gpu/compose_cuda.h"
#include "gpu/compose_plan.h"

namespace emomedia::gpu {
namespace {

constexpr int kBlocksAtATime = 4;  // of a multiprocessor: the registers that this leaves are enough

template <typename Version>
__global__ void __launch_bounds__(kThreads, kBlocksAtATime) compose_half(const __grid_constant__ HalfLaunch launch) {
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

template <Samples kSamples, bool kSwapped>
cudaError_t prepare() {
  for (const auto kernel : {compose_half<Block<kSamples, kSwapped, true>>, compose_half<Block<kSamples, kSwapped, false>>}) {
    cudaError_t code =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(kMostShared));
    if (code != cudaSuccess) return code;
    code = cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, cudaSharedmemCarveoutMaxShared);
    if (code != cudaSuccess) return code;
  }
  return cudaSuccess;
}

}  // namespace

cudaError_t prepare_to_compose() {
  for (const auto prepare_version :
       {prepare<Samples::bytes, false>, prepare<Samples::bytes, true>, prepare<Samples::words, false>,
        prepare<Samples::words, true>, prepare<Samples::upper, false>, prepare<Samples::upper, true>}) {
    const cudaError_t code = prepare_version();
    if (code != cudaSuccess) return code;
  }
  return cudaSuccess;
}

cudaError_t compose_on_stream(const HalfLaunch& launch, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(grid_width(launch)), static_cast<unsigned>(grid_height(launch)));
  return with_block(launch, [&](auto version) {
    compose_half<decltype(version)><<<grid, kThreads, launch.shape.bytes(), stream>>>(launch);
    return cudaGetLastError();
  });
}

}  // namespace emomedia::gpu
