// Launches the kernel on a CUDA stream.
#pragma once

#include <cuda_runtime_api.h>

#include "gpu/compose_tile.h"

namespace emomedia::gpu {

cudaError_t compose_on_stream(const HalfLaunch& launch, cudaStream_t stream);

// Lets blocks share as much memory as the plans may ask for; once for each device.
cudaError_t allow_most_shared();

}  // namespace emomedia::gpu
