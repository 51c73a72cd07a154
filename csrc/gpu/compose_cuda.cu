#include "gpu/compose_cuda.h"

#include "gpu/compose_kernel.h"

namespace emomedia::gpu {
namespace {

// Both measured, see docs/gpu.md.
constexpr int kAtATime = 4;
template <Samples kSamples>
constexpr int kCarveout = kSamples == Samples::bytes ? cudaSharedmemCarveoutMaxShared : cudaSharedmemCarveoutDefault;

template <Samples kSamples, bool kSwapped>
cudaError_t prepare_both() {
  const cudaError_t code = prepare<Block<kSamples, kSwapped, true>, kAtATime>(kCarveout<kSamples>);
  return code != cudaSuccess ? code : prepare<Block<kSamples, kSwapped, false>, kAtATime>(kCarveout<kSamples>);
}

}  // namespace

cudaError_t prepare_to_compose() {
  for (const auto prepare_versions :
       {prepare_both<Samples::bytes, false>, prepare_both<Samples::bytes, true>, prepare_both<Samples::words, false>,
        prepare_both<Samples::words, true>, prepare_both<Samples::upper, false>, prepare_both<Samples::upper, true>}) {
    const cudaError_t code = prepare_versions();
    if (code != cudaSuccess) return code;
  }
  return cudaSuccess;
}

cudaError_t compose_on_stream(const HalfLaunch& half, cudaStream_t stream) {
  return with_block(half, [&](auto version) { return launch<decltype(version), kAtATime>(half, stream); });
}

}  // namespace emomedia::gpu
