// Which of a stream's packets hold the second field of a frame whose first field came in the packet before.
#pragma once

#include "av/handles.h"

namespace emomedia::av {

// H.264 may code each field of a frame by itself, as camcorders of 1080i do (AVCHD), and libav takes transport
// streams, and what was copied from them, apart into packets of one field each. A decoder makes one frame of two.
class SecondFields {
 public:
  explicit SecondFields(const AVStream& stream);

  // To be asked of every packet of the stream in its order.
  bool is_second(const AVPacket& packet);

  // Whether each that was asked of is known to be coded as a whole frame.
  bool only_frames() const { return only_frames_; }

 private:
  Parser parser_;  // none for other codecs
  Codec context_;
  bool only_frames_ = true;
  AVPictureStructure first_field_ = AV_PICTURE_STRUCTURE_UNKNOWN;  // that waits for its other one, if one does
};

}  // namespace emomedia::av
