// A device's primary context, by the driver's own calls: the one that CUDA's runtime and libav work in. The runtime's
// cudaSetDevice() opens one on whatever device it names, hundreds of megabytes of its memory, so that neither looking
// at a device nor going back to the one before would be without a trace.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

namespace emomedia::gpu {

// The runtime's codes are the driver's.
inline cudaError_t code_of(CUresult result) { return static_cast<cudaError_t>(result); }

// The driver's calls, found when they are first asked for.
struct Driver {
  cudaError_t code = cudaSuccess;  // of finding them
  decltype(&cuDeviceGet) device = nullptr;
  decltype(&cuDeviceGetName) name = nullptr;
  decltype(&cuDeviceGetAttribute) attribute = nullptr;
  decltype(&cuMemGetInfo) memory = nullptr;  // of the current context's device
  decltype(&cuDevicePrimaryCtxRetain) retain = nullptr;
  decltype(&cuDevicePrimaryCtxRelease) release = nullptr;
  decltype(&cuCtxPushCurrent) push = nullptr;
  decltype(&cuCtxPopCurrent) pop = nullptr;
};
const Driver& driver();

// Held while this lives; it is gone with its last holder in the process.
class PrimaryContext {
 public:
  explicit PrimaryContext(int index);
  ~PrimaryContext();
  PrimaryContext(const PrimaryContext&) = delete;
  PrimaryContext& operator=(const PrimaryContext&) = delete;

  cudaError_t code() const { return code_; }  // whether it could be retained
  CUdevice device() const { return device_; }
  CUcontext get() const { return context_; }
  void keep() { kept_ = true; }  // until the process ends

 private:
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  cudaError_t code_;
  bool kept_ = false;
};

// While it lives the context is this thread's current one, for the driver and for CUDA's runtime; afterwards that which
// was so before, or none, since the thread may be a caller's, with work of its own on another card.
class Current {
 public:
  explicit Current(CUcontext context);
  ~Current();
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

  cudaError_t code() const { return code_; }

 private:
  cudaError_t code_;
};

}  // namespace emomedia::gpu
