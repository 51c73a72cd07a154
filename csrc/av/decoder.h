// Turns packets into frames: one stream, one thread, nothing else.
#pragma once

#include <string>
#include <utility>

#include "av/handles.h"

namespace emomedia::av {

class Decoder {
 public:
  // `subject` names the file in errors.
  Decoder(const AVStream& stream, std::string subject);

  // Gives a packet, or null at the stream's end. What libav finds broken in it is left out and made
  // known by take_broken_packet().
  void send(const AVPacket* packet);

  // Moves the next frame in order of presentation into `frame`; false when more packets are needed.
  bool receive(AVFrame& frame);

  // Forgets everything, to go on after a seek.
  void flush();

  // Whether a packet was broken since this was last asked.
  bool take_broken_packet() { return std::exchange(broken_packet_, false); }

 private:
  std::string subject_;
  Codec codec_;
  bool broken_packet_ = false;
};

}  // namespace emomedia::av
