// The GPU's kernel run by the host, block after block: what proves its arithmetic where there is no GPU.
#pragma once

#include "gpu/compose_launch.h"

namespace emomedia::gpu {

// All that `launch` points to lies in the host's memory.
void compose_on_host(const HalfLaunch& launch);

}  // namespace emomedia::gpu
