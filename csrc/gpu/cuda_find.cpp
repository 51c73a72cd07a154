// Which GPUs there are, and what they decode.
#include "gpu/cuda_context.h"  // first: it has CUDA's own types, which ffnvcodec's headers then take

// That the library is missing is reported by the placement of a session, not on standard error.
#define FFNV_LOG_FUNC(logctx, msg, ...)
#define FFNV_DEBUG_LOG_FUNC(logctx, msg, ...)
#include <ffnvcodec/dynlink_loader.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

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

// Of the current context's device.
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

constexpr int kLongestName = 256;

// Or why it cannot be used: another process may have it for itself alone, or it may have failed. Its context is gone
// afterwards, where nobody else in the process has it.
cudaError_t look_at(int index, Info& info) {
  const PrimaryContext context(index);
  if (context.code() != cudaSuccess) return context.code();
  const Current here(context.get());
  if (here.code() != cudaSuccess) return here.code();
  std::array<char, kLongestName> name{};
  cudaError_t code = code_of(driver().name(name.data(), kLongestName, context.device()));
  for (const auto& [number, value] : {std::pair{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &info.compute_major},
                                      {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &info.compute_minor}}) {
    if (code == cudaSuccess) code = code_of(driver().attribute(value, number, context.device()));
  }
  if (code != cudaSuccess) return code;
  info.index = index;
  info.name = name.data();
  std::size_t free = 0, total = 0;
  if (driver().memory(&free, &total) == CUDA_SUCCESS) {
    info.memory = static_cast<std::int64_t>(total);
    info.free_memory = static_cast<std::int64_t>(free);
  }
  info.decodes = decode_limits();
  return cudaSuccess;
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
  for (int index = 0; index < count; ++index) {
    Info info;
    const cudaError_t looked = look_at(index, info);
    if (looked == cudaSuccess) {
      found.gpus.push_back(std::move(info));
    } else {
      found.refused[index] = std::string("GPU ") + std::to_string(index) + ": " + cudaGetErrorString(looked);
    }
  }
  if (found.gpus.empty()) found.reason = found.refused.begin()->second;
  return found;
}

}  // namespace emomedia::gpu
