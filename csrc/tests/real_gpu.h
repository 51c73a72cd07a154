// The machine's own GPU, for tests that need one; they are named "cuda: ...".
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>

#include "emomedia/gpu.h"
#include "gpu/device.h"

namespace emomedia::tests {

// None, and a word about it, where there is none.
inline std::shared_ptr<gpu::Device> real_gpu() {
  const gpu::Found found = gpu::find();
  if (!found.gpus.empty()) return gpu::open(0);
  if (std::getenv("EMOMEDIA_REQUIRE_CUDA") != nullptr) FAIL("EMOMEDIA_REQUIRE_CUDA: " << found.reason);
  MESSAGE("skipped: " << found.reason);
  return nullptr;
}

}  // namespace emomedia::tests
