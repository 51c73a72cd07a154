// libx264 as the engine needs it: one thread, closed GOPs, IDR pictures where they are asked for and
// nowhere else, the same bytes for the same frames on any processor.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "av/handles.h"
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
  explicit VideoEncoder(const VideoSettings& settings);

  // Where the next frame is to be drawn; valid until encode().
  MutablePicture picture();
  // All bytes of that picture.
  std::span<std::uint8_t> memory() const;

  // Encodes what was drawn. `pts` ascends by one from frame to frame.
  void encode(std::int64_t pts, bool idr, const PacketSink& sink);
  // Encodes the left (0) or the right (1) half of what was drawn last for `whole`, which is twice as wide,
  // by reference: nothing is copied.
  void encode_half(const VideoEncoder& whole, std::size_t side, std::int64_t pts, bool idr, const PacketSink& sink);
  void finish(const PacketSink& sink);

  // SPS and PPS: equal for all encoders with equal settings.
  std::vector<std::uint8_t> parameter_sets() const;
  // By how many frames decoding order runs ahead of presentation order, at the most.
  int reorder_depth() const { return codec_->has_b_frames; }
  Parameters parameters() const;

 private:
  void send(AVFrame& frame, std::int64_t pts, bool idr, const PacketSink& sink);
  void drain(const PacketSink& sink);

  Codec codec_;
  Frame frame_;  // without a buffer until something is drawn
  Packet packet_;
  PictureFormat format_;
  bool adaptive_;         // quantises adaptively
  bool is_first_ = true;  // nothing was encoded yet
};

}  // namespace emomedia::av
