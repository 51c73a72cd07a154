// One picture's encoder as the engine needs it: IDR pictures where they are asked for and nowhere else. libx264 gives
// the same bytes for the same frames on any processor, NVENC with one card and driver.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "av/handles.h"
#include "av/open_encoder.h"
#include "emomedia/job.h"

namespace emomedia::av {

struct EncodedPacket {
  std::int64_t pts;  // as given with the frame
  bool idr;
  const std::uint8_t* data;  // Annex B, borrowed
  std::size_t size;
};

using PacketSink = std::function<void(const EncodedPacket&)>;

class VideoEncoder {
 public:
  // Errors as open_encoder's.
  explicit VideoEncoder(const VideoSettings& settings, const EncoderMemory& memory = {});

  // Where the next frame is to be drawn, in the GPU's memory or the host's; valid until encode().
  MutablePicture picture();
  // All bytes of that picture in the host's.
  std::span<std::uint8_t> memory() const;

  // Encodes what was drawn, Error(device) where a GPU fails at it. `pts` ascends by one from frame to frame.
  void encode(std::int64_t pts, bool idr, const PacketSink& sink);
  // Encodes the left (0) or the right (1) half of what was drawn last for `whole`, which is twice as wide,
  // by reference: nothing is copied. In the host's memory alone.
  void encode_half(const VideoEncoder& whole, std::size_t side, std::int64_t pts, bool idr, const PacketSink& sink);
  void finish(const PacketSink& sink);

  // SPS and PPS: equal for all encoders with equal settings.
  std::vector<std::uint8_t> parameter_sets() const;
  // By how many frames decoding order runs ahead of presentation order, at the most.
  int reorder_depth() const { return codec_->has_b_frames; }
  Parameters parameters() const;

 private:
  void describe(AVFrame& frame, AVPixelFormat pixels) const;
  MutablePicture picture_of(const AVFrame& frame, bool p010) const;
  static void make_writable(AVFrame& frame);
  void check_encoder(int code, const char* doing) const;
  void send(AVFrame& drawn, std::int64_t pts, bool idr, const PacketSink& sink);
  void drain(const PacketSink& sink);

  Codec codec_;
  Frame frame_;   // without a buffer until something is drawn
  Frame packed_;  // the same as P010, for an encoder that takes nothing else
  Packet packet_;
  PictureFormat format_;
  bool nvenc_;
  bool adaptive_;         // quantises adaptively
  bool is_first_ = true;  // nothing was encoded yet
};

}  // namespace emomedia::av
