#include "gpu/cuda_context.h"

#include <dlfcn.h>

namespace emomedia::gpu {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";

// Asked of the library itself, as libav does: CUDA's runtime might make a context ready for itself first.
template <typename Call>
void find(void* library, const char* name, Call& call, cudaError_t& code) {
  if (code != cudaSuccess) return;
  call = reinterpret_cast<Call>(dlsym(library, name));
  if (call == nullptr) code = cudaErrorSymbolNotFound;
}

Driver found_driver() {
  Driver d;
  void* library = dlopen(kLibrary, RTLD_LAZY);  // stays
  if (library == nullptr) d.code = cudaErrorInsufficientDriver;
  decltype(&cuInit) init = nullptr;
  find(library, "cuInit", init, d.code);
  find(library, "cuDeviceGet", d.device, d.code);
  find(library, "cuDeviceGetName", d.name, d.code);
  find(library, "cuDeviceGetAttribute", d.attribute, d.code);
  find(library, "cuMemGetInfo_v2", d.memory, d.code);
  find(library, "cuDevicePrimaryCtxRetain", d.retain, d.code);
  find(library, "cuDevicePrimaryCtxRelease_v2", d.release, d.code);
  find(library, "cuCtxPushCurrent_v2", d.push, d.code);
  find(library, "cuCtxPopCurrent_v2", d.pop, d.code);
  if (d.code == cudaSuccess) d.code = code_of(init(0));
  return d;
}

}  // namespace

const Driver& driver() {
  static const Driver found = found_driver();
  return found;
}

PrimaryContext::PrimaryContext(int index) : code_(driver().code) {
  if (code_ == cudaSuccess) code_ = code_of(driver().device(&device_, index));
  if (code_ == cudaSuccess) code_ = code_of(driver().retain(&context_, device_));
}

PrimaryContext::~PrimaryContext() {
  if (context_ != nullptr && !kept_) driver().release(device_);
}

Current::Current(CUcontext context) : code_(code_of(driver().push(context))) {}

Current::~Current() {
  CUcontext popped = nullptr;
  if (code_ == cudaSuccess) driver().pop(&popped);
}

}  // namespace emomedia::gpu
