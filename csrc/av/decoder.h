// Turns packets into frames: one stream, one thread, nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "av/handles.h"
#include "av/second_fields.h"

namespace emomedia::av {

class Decoder {
 public:
  // `subject` names the file in errors. With a device of libav's the frames come out in its memory, and decoding
  // goes on beside whatever else is done; where it does not decode such a stream, they come from the cores.
  Decoder(const AVStream& stream, std::string subject, AVBufferRef* device = nullptr);

  // Gives a packet, or null at the stream's end; false when libav finds it broken.
  bool send(const AVPacket* packet);

  // Moves the next frame in order of presentation into `frame`, if there is one without more packets.
  // `broken` tells that a packet turned out to be; asking again goes on behind it.
  enum class Outcome { frame, none, broken };
  Outcome receive(AVFrame& frame);

  // Forgets everything, to go on at a key frame after a seek.
  void flush();

  // Why the device did not take the stream, in libav's words; empty where it did, or where libav has no way to it.
  std::string refusal() const { return refusal_->value_or(""); }

 private:
  // What the codec holds: frames, of which more may come; frames of which those wanted are being pushed out; no frame
  // that is wanted; nothing, and it takes nothing before it is flushed.
  enum class Holds { frames, last_frames, no_frames, nothing };

  bool give(const AVPacket* packet);
  void keep_idr(const AVPacket& packet);
  void keep_none();
  bool give_idr_again();
  void drain();
  void set_up_anew();

  std::string subject_;
  std::unique_ptr<std::optional<std::string>> refusal_;  // written to by the codec; none while it offered no device
  Codec codec_;
  Holds holds_ = Holds::frames;
  std::optional<SecondFields> fields_;  // of a stream whose IDR pictures may be given again
  Packet idr_;              // the last that was given, where one is to be given again
  std::int64_t marks_ = 0;  // of those given again
  int given_again_ = 0;     // since the last packet that was sent
};

}  // namespace emomedia::av
