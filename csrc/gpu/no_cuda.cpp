// A build without CUDA: no GPU is found, and the reason says so.
#include "emomedia/error.h"
#include "gpu/device.h"

namespace emomedia::gpu {

Found find() {
  Found found;
  found.reason = "this build has no CUDA: it was made without nvcc";
  return found;
}

std::shared_ptr<Device> open(int index) {
  throw Error(Cause::device, "GPU " + std::to_string(index), "a build with CUDA", "one without",
              "install the CUDA toolkit (nvcc) and build again, or choose --device cpu");
}

}  // namespace emomedia::gpu
