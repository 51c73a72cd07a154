// The parts of emomedia_gpu_bench. Each prints what it measured, a JSON object a line, and throws where it is wrong.
#pragma once

#include <cuda_runtime_api.h>

#include <string>
#include <vector>

#include "gpu/compose_launch.h"

namespace emomedia::bench {

using Compose = cudaError_t (*)(const gpu::HalfLaunch& launch, cudaStream_t stream);

// Another build of the kernel: blocks at a time, and the memory they share, in percent of the most, or -1 for what the
// driver chooses; 0 for the product's.
struct Variant {
  int blocks, carveout;
  Compose compose;
};
const std::vector<Variant>& kernel_variants();

// What the card can do at the most: bytes copied, and multiply-adds a second of int32 and,
// as products of matrices, of bytes.
void measure_ceilings();

// Composes a 4K take's halves back to back, upright and turned, 8-bit and 10-bit, and with other tiles and builds of the
// kernel; checked against the host.
void measure_kernel();

// libav's plain loop on `sessions` decoders at once, for some seconds; with a copy of each frame within the card too.
void measure_decoding(const std::string& file, int sessions, double seconds, bool copied);

// The same frames composed as well: `sessions` takes read as pairs, composites in the card's memory.
void measure_composing(const std::string& file, int sessions, double seconds);

// Composites in the card's memory against those of the cores, frame by frame.
void check_composites(const std::string& file, int frames);

}  // namespace emomedia::bench
