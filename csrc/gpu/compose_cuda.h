// Launches the kernel on a CUDA stream.
#pragma once

#include <cuda_runtime_api.h>

#include "gpu/compose_launch.h"

namespace emomedia::gpu {

// Once for each device, the current one: how its multiprocessors share out their memory.
cudaError_t prepare_to_compose();

// Of the current device; the launch's pointers are its own.
cudaError_t compose_on_stream(const HalfLaunch& launch, cudaStream_t stream);

}  // namespace emomedia::gpu
