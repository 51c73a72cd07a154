// The kernel as other builds would have it: more or fewer blocks at a time on a multiprocessor, and how much of its memory
// is left to the cache. The product compiles one; which one, a card decides (docs/gpu.md).
#include <algorithm>

#include "gpu/compose_block.h"
#include "gpu/compose_plan.h"
#include "gpu_bench.h"

namespace emomedia::bench {
namespace {

template <typename Version, int kBlocks>
__global__ void __launch_bounds__(gpu::kThreads, kBlocks) compose_half(const __grid_constant__ gpu::HalfLaunch launch) {
  extern __shared__ gpu::FourWords shared[];
  const int across = static_cast<int>(blockIdx.x), down = static_cast<int>(blockIdx.y), plane = static_cast<int>(blockIdx.z);
  if (!gpu::has_work(launch, across, down, plane)) return;
  const gpu::Work work = gpu::work_of(launch, across, down, plane, reinterpret_cast<std::uint8_t*>(shared));
  const int thread = static_cast<int>(threadIdx.x);
  Version::load(work, thread, gpu::kThreads);
  __syncthreads();
  Version::vertical(work, thread);
  __syncthreads();
  Version::horizontal(work, thread, gpu::kThreads);
}

template <typename Version, int kBlocks>
cudaError_t launch_version(int carveout, const gpu::HalfLaunch& launch, cudaStream_t stream) {
  const auto kernel = compose_half<Version, kBlocks>;
  static int current = -1;  // the kernel's, which variants may share
  if (current != carveout) {
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(gpu::kMostShared));
    cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout, carveout);
    current = carveout;
  }
  const auto& plane = launch.plane;
  const dim3 grid(static_cast<unsigned>(std::max(plane[0].tiles_across, plane[1].tiles_across)),
                  static_cast<unsigned>(std::max(plane[0].tiles_down, plane[1].tiles_down)), 3);
  kernel<<<grid, gpu::kThreads, launch.shape.bytes(), stream>>>(launch);
  return cudaGetLastError();
}

// Takes of 8 bits, with the usual number of taps.
template <int kBlocks, int kCarveout>
cudaError_t compose(const gpu::HalfLaunch& launch, cudaStream_t stream) {
  if (!launch.usual || launch.samples != gpu::Samples::bytes) return cudaErrorInvalidValue;
  return launch.swapped ? launch_version<gpu::Block<gpu::Samples::bytes, true, true>, kBlocks>(kCarveout, launch, stream)
                        : launch_version<gpu::Block<gpu::Samples::bytes, false, true>, kBlocks>(kCarveout, launch, stream);
}

}  // namespace

const std::vector<Variant>& kernel_variants() {
  static const std::vector<Variant> all{{4, 100, compose<4, 100>}, {5, 100, compose<5, 100>}, {6, 100, compose<6, 100>},
                                        {8, 100, compose<8, 100>}, {5, 70, compose<5, 70>},   {6, 85, compose<6, 85>}};
  return all;
}

}  // namespace emomedia::bench
