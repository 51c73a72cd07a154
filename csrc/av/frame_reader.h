// Frames of one video file by their index, exactly, wherever its key frames lie.
#pragma once

#include <cstdint>

#include "av/decoder.h"
#include "av/demuxer.h"
#include "emomedia/job.h"

namespace emomedia::av {

class FrameReader {
 public:
  // Borrows `file`, which must outlive the reader.
  explicit FrameReader(const TakeFile& file);

  struct Shown {
    const AVFrame* frame;  // borrowed until the next call
    bool damaged;          // the frame is missing or concealed; another may stand in for it
  };

  // The frame at `index` in order of presentation. Cheap when indices ascend in small steps; seeks
  // otherwise, one key frame earlier where the decoder skips pictures that need what lies before it.
  Shown at(std::int64_t index);

  // From here on nothing may depend on what was decoded before, if any of that was damaged.
  void forget_damage();

  std::int64_t decoded_frames() const { return decoded_frames_; }

 private:
  bool must_seek(std::int64_t index) const;
  void seek_to_key(std::int64_t key_index);
  std::int64_t key_at_or_before(std::int64_t index) const;
  bool decode_next();
  bool advance_to(std::int64_t pts);
  Shown stand_in();

  const TakeFile& file_;
  Demuxer demuxer_;
  Decoder decoder_;
  Frame shown_, next_;
  bool has_shown_ = false, has_next_ = false;
  bool started_ = false, damaged_ = false;
  bool no_more_packets_ = false, drained_ = false;
  std::int64_t position_ = -1;  // index of the last frame that the decoder gave
  std::int64_t decoded_frames_ = 0;
};

}  // namespace emomedia::av
