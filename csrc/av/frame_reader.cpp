#include "av/frame_reader.h"

#include <algorithm>
#include <utility>

#include "av/check.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

// Fewer frames than this between here and a key frame ahead are decoded rather than jumped over.
constexpr std::int64_t kWorthSeeking = 8;

// libav gives out some frames whose references are missing; they count as damaged and are shown.
bool is_damaged(const AVFrame& frame) {
  return frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

std::int64_t time_of(const AVFrame& frame) {
  return frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.best_effort_timestamp;
}

}  // namespace

FrameReader::FrameReader(const TakeFile& file)
    : file_(file),
      demuxer_(file.path),
      decoder_(demuxer_.stream(file.stream), file.path),
      shown_(make_frame()),
      next_(make_frame()) {
  demuxer_.select(file.stream);
}

FrameReader::Shown FrameReader::at(std::int64_t index) {
  const std::int64_t pts = file_.pts[static_cast<std::size_t>(index)];
  if (has_shown_ && time_of(*shown_) == pts) return {shown_.get(), is_damaged(*shown_)};
  std::int64_t key = key_at_or_before(index);
  bool fresh = must_seek(index);
  if (fresh) seek_to_key(key);
  fresh = fresh || !started_;
  started_ = true;
  for (;;) {
    if (advance_to(pts)) return {shown_.get(), is_damaged(*shown_)};
    const bool began_too_late = fresh && !has_shown_ && key > 0;
    if (!began_too_late) return stand_in();
    key = key_at_or_before(key - 1);
    seek_to_key(key);
  }
}

void FrameReader::forget_damage() {
  if (!damaged_ && !decoder_.broken_packet()) return;
  has_shown_ = has_next_ = false;
  drained_ = true;
}

bool FrameReader::must_seek(std::int64_t index) const {
  if (!started_) return key_at_or_before(index) > 0;
  if (drained_ && !has_next_) return true;
  const bool behind = has_shown_ ? file_.pts[static_cast<std::size_t>(index)] < time_of(*shown_) : index < position_;
  return behind || key_at_or_before(index) > position_ + kWorthSeeking;
}

std::int64_t FrameReader::key_at_or_before(std::int64_t index) const {
  while (index > 0 && file_.key[static_cast<std::size_t>(index)] == 0) --index;
  return index;
}

void FrameReader::seek_to_key(std::int64_t key_index) {
  if (key_index > 0) {
    demuxer_.seek(file_.stream, file_.pts[static_cast<std::size_t>(key_index)]);
  } else {
    demuxer_.rewind(file_.stream);
  }
  decoder_.flush();
  has_shown_ = has_next_ = damaged_ = no_more_packets_ = drained_ = false;
  position_ = key_index - 1;
}

// Decodes until a frame comes out into next_; false at the end of the file.
bool FrameReader::decode_next() {
  while (!decoder_.receive(*next_)) {
    drained_ = no_more_packets_;
    if (drained_) return false;
    const AVPacket* packet = demuxer_.read();
    no_more_packets_ = packet == nullptr;
    decoder_.send(packet);
  }
  ++decoded_frames_;
  damaged_ = damaged_ || is_damaged(*next_);
  const auto after = std::upper_bound(file_.pts.begin(), file_.pts.end(), time_of(*next_));
  position_ = (after - file_.pts.begin()) - 1;
  return has_next_ = true;
}

// Decodes up to the frame at `pts` and shows it; false when the decoder gives none with that time.
// Whatever came before it is then shown_, what comes after it next_.
bool FrameReader::advance_to(std::int64_t pts) {
  while (has_next_ || decode_next()) {
    const std::int64_t time = time_of(*next_);
    if (time > pts) return false;
    std::swap(shown_, next_);
    av_frame_unref(next_.get());
    has_shown_ = true;
    has_next_ = false;
    if (time == pts) return true;
  }
  return false;
}

FrameReader::Shown FrameReader::stand_in() {
  damaged_ = true;
  if (has_shown_) return {shown_.get(), true};
  if (has_next_) return {next_.get(), true};
  throw Error(Cause::media, file_.path, "frames that decode", "none (" + last_log() + ")",
              "check that the file plays, or copy it from the camera again");
}

}  // namespace emomedia::av
