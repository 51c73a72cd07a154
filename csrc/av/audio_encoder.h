// AAC for the clips' sound: stereo of a composite, mono of a side alone.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "av/handles.h"

namespace emomedia::av {

class AudioEncoder {
 public:
  AudioEncoder(int sample_rate, int channels, std::int64_t bit_rate);

  int frame_samples() const { return codec_->frame_size; }
  Parameters parameters() const;

  // The channels' buffers for the next frame, frame_samples() floats each.
  std::vector<std::span<float>> channels();

  // Encodes the first `samples` of what was written; fewer than frame_samples() only at the end.
  void encode(int samples, const std::function<void(AVPacket&)>& sink);
  void finish(const std::function<void(AVPacket&)>& sink);

 private:
  void drain(const std::function<void(AVPacket&)>& sink);

  Codec codec_;
  Frame frame_;
  Packet packet_;
  std::int64_t position_ = 0;
};

}  // namespace emomedia::av
