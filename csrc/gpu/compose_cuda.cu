#include <algorithm>

#include "gpu/compose_block.h"
#include "gpu/compose_cuda.h"
#include "gpu/compose_plan.h"

namespace emomedia::gpu {
namespace {

// Blocks of a multiprocessor at a time: the registers that this leaves are enough.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr int kBlocksAtATime = 4;
#else
constexpr int kBlocksAtATime = 5;
#endif

template <typename Version>
__global__ void __launch_bounds__(kThreads, kBlocksAtATime) compose_half(const __grid_constant__ HalfLaunch launch) {
  extern __shared__ FourWords shared[];
  const int across = static_cast<int>(blockIdx.x), down = static_cast<int>(blockIdx.y), plane = static_cast<int>(blockIdx.z);
  if (!has_work(launch, across, down, plane)) return;
  const Work work = work_of(launch, across, down, plane, reinterpret_cast<std::uint8_t*>(shared));
  const int thread = static_cast<int>(threadIdx.x);
  Version::load(work, thread, kThreads);
  __syncthreads();
  Version::vertical(work, thread);
  __syncthreads();
  Version::horizontal(work, thread, kThreads);
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
  const auto most = [&](int PlaneLaunch::* tiles) {
    return static_cast<unsigned>(std::max({launch.plane[0].*tiles, launch.plane[1].*tiles, launch.plane[2].*tiles}));
  };
  const dim3 grid(most(&PlaneLaunch::tiles_across), most(&PlaneLaunch::tiles_down), 3);
  return with_block(launch, [&](auto version) {
    compose_half<decltype(version)><<<grid, kThreads, launch.shape.bytes(), stream>>>(launch);
    return cudaGetLastError();
  });
}

}  // namespace emomedia::gpu
