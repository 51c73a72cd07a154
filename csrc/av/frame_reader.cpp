#include "av/frame_reader.h"

#include <algorithm>
#include <utility>

#include "av/check.h"
#include "av/compat.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

// A key frame that is nearer than this many frames is reached by reading on, without decoding, rather than by
// a seek, which takes some containers long.
constexpr std::int64_t kWorthSeeking = 8;

// Key frames further back that are tried for a frame that did not come out after a seek: decoders drop
// some that they give when they come from further back, and H.264's some of an open GOP that it is drained in.
constexpr int kTriesForLost = 2;

// Complaints of a decoder about one packet after which it is given the next.
constexpr int kMostBroken = 64;

// libav gives out some frames whose references are missing; they count as damaged and are shown.
bool is_concealed(const AVFrame& frame) {
  return frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

std::int64_t time_of(const AVFrame& frame) {
  return frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.best_effort_timestamp;
}

}  // namespace

FrameReader::FrameReader(const TakeFile& file, FieldOrder fields, Pulse& pulse, AVBufferRef* device)
    : file_(file),
      pulse_(pulse),
      on_gpu_(device != nullptr),
      demuxer_(file.path, Demuxer::Parameters::known),
      decoder_(demuxer_.stream(file.stream), file.path, device),
      shown_(make_frame()),
      next_(make_frame()) {
  demuxer_.select(file.stream);
  if (fields != FieldOrder::progressive) deinterlacer_.emplace(fields, demuxer_.stream(file.stream).time_base, file.path);
}

FrameReader::Shown FrameReader::at(std::int64_t index) {
  const std::int64_t pts = file_.pts[static_cast<std::size_t>(index)];
  if (has_shown_ && time_of(*shown_) == pts) return {shown_.get(), shown_damaged_};
  const bool beyond_the_end = is_exhausted() && !cut_short_ && has_shown_ && time_of(*shown_) < pts;
  if (beyond_the_end) return stand_in();
  if (limit_ && last_needed(index) > *limit_) limit_.reset();  // wanted after all
  std::int64_t key = key_at_or_before(first_needed(index));
  bool fresh = must_seek(index);
  if (fresh) seek_to_key(key);
  fresh = fresh || !started_;
  if (fresh) sent_through_ = first_needed(index) - 1;
  started_ = true;
  int lost = 0;
  for (std::int64_t further = 1;; further *= 2) {
    if (advance_to(pts)) return show(index);
    if (cut_short_) {
      limit_.reset();
    } else {
      if ((!fresh && !drained_) || key == 0) return stand_in();
      const bool began_too_late = !has_shown_;
      if (!began_too_late && ++lost > kTriesForLost) return stand_in();
      key = key_at_or_before(std::max<std::int64_t>(0, key - further));
    }
    fresh = true;
    seek_to_key(key);
    sent_through_ = first_needed(index) - 1;
  }
}

FrameReader::Shown FrameReader::show(std::int64_t index) {
  if (deinterlacer_) tally_.needs(file_.pts[static_cast<std::size_t>(first_needed(index))]);
  tally_.shows(file_.pts[static_cast<std::size_t>(index)]);
  if (deinterlacer_) tally_.needs(file_.pts[static_cast<std::size_t>(last_needed(index))]);
  return {shown_.get(), shown_damaged_};
}

void FrameReader::expect(std::int64_t last, WantedNext next) {
  limit_ = last_needed(last);
  wanted_next_ = std::move(next);
}

void FrameReader::forget_damage() {
  if (damage_.any()) forget();
}

void FrameReader::forget() {
  has_shown_ = has_next_ = false;
  drop_ahead();
  drained_ = true;
}

void FrameReader::drop_ahead() {
  for (Frame& frame : ahead_) give_back(std::move(frame));
  ahead_.clear();
}

Frame FrameReader::spare() {
  if (spare_.empty()) return make_frame();
  Frame frame = std::move(spare_.back());
  spare_.pop_back();
  return frame;
}

void FrameReader::give_back(Frame frame) {
  av_frame_unref(frame.get());
  spare_.push_back(std::move(frame));
}

bool FrameReader::is_exhausted() const { return drained_ && !has_next_ && ahead_.empty(); }

// A frame of two fields needs the one before it.
std::int64_t FrameReader::first_needed(std::int64_t index) const {
  return deinterlacer_ ? std::max<std::int64_t>(0, index - 1) : index;
}

// And the one after it.
std::int64_t FrameReader::last_needed(std::int64_t index) const {
  const auto last = static_cast<std::int64_t>(file_.pts.size()) - 1;
  return deinterlacer_ ? std::min(last, index + 1) : index;
}

std::optional<std::int64_t> FrameReader::index_of(std::int64_t pts) const {
  const auto found = std::ranges::lower_bound(file_.pts, pts);
  if (found == file_.pts.end() || *found != pts) return std::nullopt;
  return found - file_.pts.begin();
}

// The highest index that the decoder was given, or gave.
std::int64_t FrameReader::last_sent() const {
  return std::max(position_, sent_ahead_.empty() ? sent_through_ : *sent_ahead_.rbegin());
}

bool FrameReader::must_seek(std::int64_t index) const {
  const std::int64_t key = key_at_or_before(first_needed(index));
  if (!started_) return key > 0;
  if (is_exhausted() || (cut_short_ && last_needed(index) > sent_through_)) return true;
  const bool behind = has_shown_ ? file_.pts[static_cast<std::size_t>(index)] < time_of(*shown_) : index < position_;
  return behind || key > last_sent() + 1;
}

std::int64_t FrameReader::key_at_or_before(std::int64_t index) const {
  while (index > 0 && file_.key[static_cast<std::size_t>(index)] == 0) --index;
  return index;
}

// Frames that are no longer wanted are let go of first: where a flush has a GPU's decoder opened anew, the one before lasts
// as long as its frames are held.
void FrameReader::seek_to_key(std::int64_t key_index) {
  go_to_key(key_index);
  av_frame_unref(shown_.get());
  av_frame_unref(next_.get());
  drop_ahead();
  decoder_.flush();
  if (deinterlacer_) deinterlacer_->reset();
  damage_.reset();
  tally_.restart();
  has_shown_ = has_next_ = no_more_packets_ = drained_ = cut_short_ = false;
  position_ = key_index - 1;
  sent_ahead_.clear();
  sent_last_.reset();
}

// Makes the next packet that of the wanted key frame, or of one before it. Demuxers that look for decoding
// times may find a key frame too far on, others may end between two, where some decoders would show
// pictures whose references are missing.
void FrameReader::go_to_key(std::int64_t key_index) {
  if (read_on_to_key(key_index)) return;
  const std::int64_t wanted = file_.pts[static_cast<std::size_t>(key_index)];
  for (std::int64_t from = key_index; from > 0; from = key_at_or_before(from - 1)) {
    demuxer_.seek(file_.stream, file_.pts[static_cast<std::size_t>(from)]);
    const AVPacket* packet = demuxer_.read();
    while (packet != nullptr && (packet->flags & AV_PKT_FLAG_KEY) == 0) {
      packet = demuxer_.read();
      pulse_.beat();
    }
    pending_ = packet;
    if (packet != nullptr && packet->pts <= wanted) return;
  }
  pending_ = nullptr;
  demuxer_.rewind(file_.stream);
}

// The same for one that lies just ahead; false where it does not, or does not come.
bool FrameReader::read_on_to_key(std::int64_t key_index) {
  const std::int64_t last = last_sent();
  if (!started_ || key_index <= last || key_index > last + kWorthSeeking) return false;
  while (const AVPacket* packet = read_packet()) {
    const auto index = index_of(packet->pts);
    if (index == key_index && (packet->flags & AV_PKT_FLAG_KEY) != 0) {
      pending_ = packet;
      return true;
    }
    if (index && *index >= key_index) return false;
  }
  return false;
}

const AVPacket* FrameReader::read_packet() {
  pulse_.beat();
  const AVPacket* pending = std::exchange(pending_, nullptr);
  return pending != nullptr ? pending : demuxer_.read();
}

// The next packet for the decoder; null at the end of the file, and of what is wanted.
const AVPacket* FrameReader::next_packet() {
  const AVPacket* packet = read_packet();
  if (packet == nullptr || !is_beyond(*packet)) return packet;
  pending_ = packet;
  cut_short_ = true;
  return nullptr;
}

// Whether the packet is of a frame that no wanted one needs. A second packet of a frame, or one of no known
// frame, belongs to what came before it.
bool FrameReader::is_beyond(const AVPacket& packet) {
  const auto index = index_of(packet.pts);
  if (!index || index == sent_last_ || !limit_ || sent_through_ < *limit_) return false;
  const auto more = wanted_next_ ? wanted_next_() : std::nullopt;
  if (!more || last_needed(more->last) <= *limit_) return true;
  if (key_at_or_before(first_needed(more->first)) > last_sent() + 1) return true;
  limit_ = last_needed(more->last);
  return false;
}

void FrameReader::note_sent(const AVPacket& packet) {
  const bool hidden = (packet.flags & AV_PKT_FLAG_DISCARD) != 0;
  const auto index = index_of(packet.pts);
  const bool comes_out = index && !hidden;
  damage_.sent(packet.pts, (packet.flags & AV_PKT_FLAG_KEY) != 0, comes_out);
  const bool is_frame = index || hidden;  // others are second packets of one, or nothing is made of them
  if (is_frame) tally_.sent(packet.pts, index && file_.key[static_cast<std::size_t>(*index)] != 0);
  if (index) sent_last_ = index;
  if (!index || *index <= sent_through_) return;
  sent_ahead_.insert(*index);
  while (!sent_ahead_.empty() && *sent_ahead_.begin() == sent_through_ + 1) {
    sent_ahead_.erase(sent_ahead_.begin());
    ++sent_through_;
  }
}

// Decodes until a frame comes out; false at the end of the file.
bool FrameReader::decode_into(AVFrame& frame) {
  while (!receive(frame)) {
    if (no_more_packets_) return false;
    const AVPacket* packet = next_packet();
    no_more_packets_ = packet == nullptr;
    if (packet != nullptr) note_sent(*packet);
    if (!decoder_.send(packet)) damage_.broken();
  }
  damage_.came_out(time_of(frame), is_concealed(frame));
  pulse_.beat();
  return true;
}

bool FrameReader::receive(AVFrame& frame) {
  for (int broken = 0; broken < kMostBroken; ++broken) {
    switch (decoder_.receive(frame)) {
      case Decoder::Outcome::frame: return true;
      case Decoder::Outcome::none: return false;
      case Decoder::Outcome::broken: damage_.broken();
    }
  }
  return false;
}

// The next frame as it is to be shown; false at the end of the file.
bool FrameReader::next_whole_frame(AVFrame& frame) {
  if (!deinterlacer_) return decode_into(frame);
  bool ended = false;
  while (!deinterlacer_->receive(frame)) {
    if (ended) return false;
    if (decode_into(frame)) {
      frame.pts = time_of(frame);
      deinterlacer_->send(frame);
    } else {
      deinterlacer_->finish();
      ended = true;
    }
  }
  return true;
}

// One more frame behind those that wait to be shown; false at the end of the file.
bool FrameReader::read_ahead() {
  Frame frame = spare();
  if (!next_whole_frame(*frame)) {
    drained_ = true;
    give_back(std::move(frame));
    return false;
  }
  position_ = (std::ranges::upper_bound(file_.pts, time_of(*frame)) - file_.pts.begin()) - 1;
  ahead_.push_back(std::move(frame));
  return true;
}

// With no surface left HEVC's decoder goes on in one that is in use.
void FrameReader::refuse_too_many_ahead() const {
  if (!kFramesAreSurfaces || !on_gpu_ || ahead_.size() <= kMostBFrames) return;
  throw Error(Cause::device, file_.path, "at most " + std::to_string(kMostBFrames) + " B-frames in a row", "more",
              "install FFmpeg 6.0 or newer to have a GPU decode them");
}

// The next frame and whether it is damaged, once that can be known; false at the end of the file.
bool FrameReader::decode_next() {
  while (ahead_.empty() || !damage_.is_settled(time_of(*ahead_.front()))) {
    refuse_too_many_ahead();
    if (drained_ || !read_ahead()) break;
  }
  if (ahead_.empty()) return false;
  std::swap(next_, ahead_.front());
  give_back(std::move(ahead_.front()));
  ahead_.pop_front();
  next_damaged_ = damage_.is_damaged(time_of(*next_));
  return has_next_ = true;
}

// Decodes up to the frame at `pts` and shows it; false when the decoder gives none with that time.
// Whatever came before it is then shown_, what comes after it next_.
bool FrameReader::advance_to(std::int64_t pts) {
  while (has_next_ || decode_next()) {
    const std::int64_t time = time_of(*next_);
    if (time > pts) return false;
    std::swap(shown_, next_);
    shown_damaged_ = next_damaged_;
    av_frame_unref(next_.get());
    has_shown_ = true;
    has_next_ = false;
    if (time == pts) return true;
  }
  return false;
}

FrameReader::Shown FrameReader::stand_in() {
  damage_.broken();
  if (has_shown_) return {shown_.get(), true};
  if (has_next_) return {next_.get(), true};
  throw Error(Cause::media, file_.path, "frames that decode", "none (" + last_log() + ")",
              "check that the file plays, or copy it from the camera again");
}

}  // namespace emomedia::av
