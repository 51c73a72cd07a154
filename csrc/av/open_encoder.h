// The encoders that clips may be made by: closed GOPs, IDR pictures where they are asked for and nowhere else, equal
// parameter sets for equal settings.
#pragma once

#include <string>

#include "av/handles.h"
#include "emomedia/error.h"
#include "emomedia/job.h"

namespace emomedia::av {

// Where an encoder's pictures lie, and for NVENC with what device of libav's it works (borrowed).
struct EncoderMemory {
  AVBufferRef* cuda = nullptr;
  bool on_gpu = false;  // in surfaces of that device
};

// A GPU gives no more sessions of its encoder for now: consumer cards have few, for all programs together. Of cause
// `stalled` where it was waited for in vain: the GPU is not lost.
class NoSessionLeft final : public Error {
 public:
  using Error::Error;
};

bool is_nvenc(const std::string& encoder);

// Throws Error(unsupported) where libav has no such encoder or the settings are none that it takes, and for NVENC
// Error(device) or NoSessionLeft where there is no session to be had.
Codec open_encoder(const VideoSettings& settings, const EncoderMemory& memory);

}  // namespace emomedia::av
