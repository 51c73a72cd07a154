// The kernel as other builds would have it: more or fewer blocks at a time on a multiprocessor, and how much of its memory
// is left to the cache. The product compiles one; which one, a card decides (docs/gpu.md).
#include "gpu/compose_kernel.h"
#include "gpu_bench.h"

namespace emomedia::bench {
namespace {

template <typename Version, int kBlocks>
cudaError_t launch_version(int carveout, const gpu::HalfLaunch& half, cudaStream_t stream) {
  static int current = -2;  // the kernel's, which variants may share
  if (current != carveout) {
    const cudaError_t code = gpu::prepare<Version, kBlocks>(carveout);
    if (code != cudaSuccess) return code;
    current = carveout;
  }
  return gpu::launch<Version, kBlocks>(half, stream);
}

// With the usual ratios.
template <gpu::Samples kSamples, int kBlocks>
cudaError_t compose_samples(int carveout, const gpu::HalfLaunch& half, cudaStream_t stream) {
  return half.swapped ? launch_version<gpu::Block<kSamples, true, true>, kBlocks>(carveout, half, stream)
                      : launch_version<gpu::Block<kSamples, false, true>, kBlocks>(carveout, half, stream);
}

template <int kBlocks, int kCarveout>
cudaError_t compose(const gpu::HalfLaunch& half, cudaStream_t stream) {
  if (!half.shape.usual || half.samples == gpu::Samples::words) return cudaErrorInvalidValue;
  return half.samples == gpu::Samples::bytes ? compose_samples<gpu::Samples::bytes, kBlocks>(kCarveout, half, stream)
                                             : compose_samples<gpu::Samples::upper, kBlocks>(kCarveout, half, stream);
}

}  // namespace

const std::vector<Variant>& kernel_variants() {
  static const std::vector<Variant> all{{3, 100, compose<3, 100>}, {4, 100, compose<4, 100>}, {4, 70, compose<4, 70>},
                                        {4, -1, compose<4, -1>},   {5, 100, compose<5, 100>}, {5, -1, compose<5, -1>}};
  return all;
}

}  // namespace emomedia::bench
