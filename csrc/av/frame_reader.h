// Frames of one video file by their index, exactly, wherever its key frames lie.
#pragma once

#include <cstdint>
#include <deque>

#include <optional>
#include <vector>

#include "av/damage.h"
#include "av/decoder.h"
#include "av/deinterlacer.h"
#include "av/demuxer.h"
#include "av/watch.h"
#include "emomedia/job.h"

namespace emomedia::av {

class FrameReader {
 public:
  // Borrows `file` and `pulse`, which must outlive the reader. Frames of two fields come out whole.
  FrameReader(const TakeFile& file, FieldOrder fields, Pulse& pulse);

  struct Shown {
    const AVFrame* frame;  // borrowed until the next call
    bool damaged;          // the frame, or one that it was predicted from, is missing or concealed
  };

  // The frame at `index` in order of presentation. Cheap when indices ascend in small steps; seeks
  // otherwise, one key frame earlier where the decoder skips pictures that need what lies before it.
  Shown at(std::int64_t index);

  // From here on nothing may depend on what was decoded before; forget_damage() does so if any of that was
  // damaged.
  void forget();
  void forget_damage();

  std::int64_t decoded_frames() const { return decoded_frames_; }

 private:
  bool must_seek(std::int64_t index) const;
  void seek_to_key(std::int64_t key_index);
  void go_to_key(std::int64_t key_index);
  std::int64_t key_at_or_before(std::int64_t index) const;
  std::int64_t first_needed(std::int64_t index) const;
  const AVPacket* next_packet();
  bool decode_into(AVFrame& frame);
  bool receive(AVFrame& frame);
  bool next_whole_frame(AVFrame& frame);
  bool read_ahead();
  bool decode_next();
  bool advance_to(std::int64_t pts);
  Shown stand_in();
  Frame spare();
  void give_back(Frame frame);
  void drop_ahead();
  bool is_exhausted() const;

  const TakeFile& file_;
  Pulse& pulse_;
  Demuxer demuxer_;
  Decoder decoder_;
  std::optional<Deinterlacer> deinterlacer_;
  Frame shown_, next_;
  std::deque<Frame> ahead_;   // come out of the decoder behind next_
  std::vector<Frame> spare_;  // empty
  bool has_shown_ = false, has_next_ = false;
  bool shown_damaged_ = false, next_damaged_ = false;
  bool started_ = false;
  DamageTracker damage_;        // since the last seek
  const AVPacket* pending_ = nullptr;  // read already, not yet decoded; the demuxer's
  bool no_more_packets_ = false, drained_ = false;
  std::int64_t position_ = -1;  // index of the last frame that the decoder gave
  std::int64_t decoded_frames_ = 0;
};

}  // namespace emomedia::av
