// Frames of one video file by their index, exactly, wherever its key frames lie.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "av/damage.h"
#include "av/decode_tally.h"
#include "av/decoder.h"
#include "av/deinterlacer.h"
#include "av/demuxer.h"
#include "av/watch.h"
#include "emomedia/job.h"

namespace emomedia::av {

// A run of frames by their indices, both ends included.
struct FrameRange {
  std::int64_t first, last;
};

// Tells what is wanted after a stretch of frames; nothing where nobody knows of more.
using WantedNext = std::function<std::optional<FrameRange>()>;

class FrameReader {
 public:
  // Borrows `file` and `pulse`, which must outlive the reader. Frames of two fields come out whole. `device`, of
  // libav's, decodes progressive ones.
  FrameReader(const TakeFile& file, FieldOrder fields, Pulse& pulse, AVBufferRef* device = nullptr);

  struct Shown {
    const AVFrame* frame;  // borrowed until the next call
    bool damaged;          // the frame, or one that it was predicted from, is missing or concealed
  };

  // The frame at `index` in order of presentation. Cheap when indices ascend in small steps; seeks
  // otherwise, one key frame earlier where the decoder skips pictures that need what lies before it.
  Shown at(std::int64_t index);

  // No frame beyond `last` is wanted, unless `next` names some when the decoder would be given the first frame
  // that none up to `last` needs. Where reading does not go on to those, it ends with what was wanted.
  void expect(std::int64_t last, WantedNext next);

  // From here on nothing may depend on what was decoded before; forget_damage() does so if any of that was
  // damaged.
  void forget();
  void forget_damage();

  DecodeCounts counts() const { return tally_.counts(); }
  // As Decoder's.
  std::string refusal() const { return decoder_.refusal(); }

 private:
  bool must_seek(std::int64_t index) const;
  void seek_to_key(std::int64_t key_index);
  void go_to_key(std::int64_t key_index);
  bool read_on_to_key(std::int64_t key_index);
  std::int64_t key_at_or_before(std::int64_t index) const;
  std::int64_t first_needed(std::int64_t index) const;
  std::int64_t last_needed(std::int64_t index) const;
  std::optional<std::int64_t> index_of(std::int64_t pts) const;
  std::int64_t last_sent() const;
  bool is_beyond(const AVPacket& packet);
  void note_sent(const AVPacket& packet);
  Shown show(std::int64_t index);
  const AVPacket* read_packet();
  const AVPacket* next_packet();
  bool decode_into(AVFrame& frame);
  bool receive(AVFrame& frame);
  bool next_whole_frame(AVFrame& frame);
  bool read_ahead();
  void refuse_too_many_ahead() const;
  bool decode_next();
  bool advance_to(std::int64_t pts);
  Shown stand_in();
  Frame spare();
  void give_back(Frame frame);
  void drop_ahead();
  bool is_exhausted() const;

  const TakeFile& file_;
  Pulse& pulse_;
  const bool on_gpu_;
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
  DecodeTally tally_;
  std::optional<std::int64_t> limit_;  // index of the last frame that is needed, if that is known
  WantedNext wanted_next_;
  std::int64_t sent_through_ = -1;     // from the first one wanted since the last seek, all frames up to this
                                       // index went to the decoder
  std::set<std::int64_t> sent_ahead_;  // and of those after it, these
  std::optional<std::int64_t> sent_last_;  // went to it last
  bool cut_short_ = false;             // the decoder was drained before the file's end
  const AVPacket* pending_ = nullptr;  // read already, not yet decoded; the demuxer's
  bool no_more_packets_ = false, drained_ = false;
  std::int64_t position_ = -1;  // index of the last frame that the decoder gave
};

}  // namespace emomedia::av
