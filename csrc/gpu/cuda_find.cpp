// Which GPUs there are, and what they decode.
#include <cuda_runtime_api.h>
#include <ffnvcodec/dynlink_loader.h>

#include <array>
#include <memory>
#include <string>

#include "emomedia/gpu.h"

namespace emomedia::gpu {
namespace {

struct FreeCuvid {
  void operator()(CuvidFunctions* functions) const { cuvid_free_functions(&functions); }
};
using Cuvid = std::unique_ptr<CuvidFunctions, FreeCuvid>;

struct Named {
  cudaVideoCodec codec;
  const char* name;  // libav's
};
constexpr std::array<Named, 5> kCodecs{{{cudaVideoCodec_H264, "h264"},
                                        {cudaVideoCodec_HEVC, "hevc"},
                                        {cudaVideoCodec_VP8, "vp8"},
                                        {cudaVideoCodec_VP9, "vp9"},
                                        {cudaVideoCodec_AV1, "av1"}}};
constexpr std::array<std::pair<cudaVideoChromaFormat, int>, 3> kChromas{
    {{cudaVideoChromaFormat_420, 420}, {cudaVideoChromaFormat_422, 422}, {cudaVideoChromaFormat_444, 444}}};

// Of the current device.
std::vector<DecodeLimits> decode_limits() {
  CuvidFunctions* loaded = nullptr;
  if (cuvid_load_functions(&loaded, nullptr) < 0) return {};
  const Cuvid cuvid(loaded);
  std::vector<DecodeLimits> limits;
  for (const Named& codec : kCodecs) {
    for (const auto& [chroma, chroma_name] : kChromas) {
      for (const int depth : {8, 10, 12}) {
        CUVIDDECODECAPS caps{};
        caps.eCodecType = codec.codec;
        caps.eChromaFormat = chroma;
        caps.nBitDepthMinus8 = static_cast<unsigned>(depth - 8);
        if (cuvid->cuvidGetDecoderCaps(&caps) != CUDA_SUCCESS || caps.bIsSupported == 0) continue;
        limits.push_back({codec.name, chroma_name, depth, caps.nNumNVDECs, static_cast<int>(caps.nMaxWidth),
                          static_cast<int>(caps.nMaxHeight), static_cast<std::int64_t>(caps.nMaxMBCount)});
      }
    }
  }
  return limits;
}

Info info_of(int index) {
  Info info;
  info.index = index;
  cudaDeviceProp properties{};
  if (cudaSetDevice(index) != cudaSuccess || cudaGetDeviceProperties(&properties, index) != cudaSuccess) return info;
  info.name = properties.name;
  info.compute_major = properties.major;
  info.compute_minor = properties.minor;
  std::size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) == cudaSuccess) {
    info.memory = static_cast<std::int64_t>(total);
    info.free_memory = static_cast<std::int64_t>(free);
  }
  info.decodes = decode_limits();
  return info;
}

}  // namespace

Found find() {
  Found found;
  cudaDriverGetVersion(&found.driver);
  cudaRuntimeGetVersion(&found.runtime);
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess || count == 0) {
    found.reason = code != cudaSuccess ? cudaGetErrorString(code) : "no CUDA device is visible";
    return found;
  }
  int before = 0;
  const bool known = cudaGetDevice(&before) == cudaSuccess;
  for (int index = 0; index < count; ++index) found.gpus.push_back(info_of(index));
  if (known) cudaSetDevice(before);  // the caller's work may be there
  return found;
}

}  // namespace emomedia::gpu
