#include "engine/clip_writer.h"

#include <algorithm>
#include <iterator>

#include "av/mp4_writer.h"
#include "emomedia/error.h"
#include "engine/spool.h"

namespace emomedia {
namespace {

// Copies the spools' packets that belong to the clip, stamping DTS anew: decoding order, less the
// reorder depth. The chunks' own would collide at their edges.
class VideoTrack {
 public:
  VideoTrack(const Clip& clip, const ClipStreams& streams, av::Mp4Writer& file)
      : clip_(clip), streams_(streams), file_(file) {}

  void copy(const Spool& spool, ClipSound& sound, StageClock& clock) {
    for (const SpoolRecord& record : spool.packets()) {
      const std::int64_t pts = record.frame - clip_.first_frame;
      if (pts < 0 || pts >= clip_.frame_count) continue;
      sound.write_until(written_ * kSampleRate * streams_.frame_rate.den / streams_.frame_rate.num, file_, clock);
      const auto bytes = spool.bytes(record);
      file_.write_video(bytes.data(), bytes.size(), pts, written_ - streams_.reorder_depth, record.idr != 0);
      ++written_;
    }
  }

  std::int64_t written() const { return written_; }

 private:
  const Clip& clip_;
  const ClipStreams& streams_;
  av::Mp4Writer& file_;
  std::int64_t written_ = 0;
};

// Adds the damage of those frames of a chunk, which begins at `chunk_first`, that the clip shows.
void add_damage(const Clip& clip, const Spool& spool, std::int64_t chunk_first, std::array<std::int64_t, 2>& damaged) {
  for (std::size_t i = 0; i < spool.damage().size(); ++i) {
    const std::int64_t frame = chunk_first + static_cast<std::int64_t>(i);
    if (frame < clip.first_frame || frame >= clip.first_frame + clip.frame_count) continue;
    damaged[0] += spool.damage()[i] & 1U;
    damaged[1] += (spool.damage()[i] >> 1U) & 1U;
  }
}

std::int64_t first_frame(const Spool& spool) {
  return std::ranges::min(spool.packets(), {}, &SpoolRecord::frame).frame;
}

}  // namespace

std::array<std::int64_t, 2> write_clip(const std::string& path, const Clip& clip,
                                       const std::vector<std::string>& spools, const ClipStreams& streams,
                                       ClipSound& sound, Pulse& pulse, StageClock& clock) {
  clock.enter(Stage::write);
  struct Part {
    const std::string& path;
    ~Part() { discard_part(path); }
  } const part{path};

  av::Mp4Writer file(part_path(path), *streams.video, streams.frame_rate, *sound.parameters(), kSampleRate);
  VideoTrack video(clip, streams, file);
  std::array<std::int64_t, 2> damaged{};
  for (const std::string& spool_path : spools) {
    const Spool spool(spool_path);
    if (!std::ranges::equal(spool.parameter_sets(), streams.parameter_sets)) {
      throw Error(Cause::engine, spool_path, "the parameter sets of the clip's other chunks", "those of another encoder",
                  "use GPUs of one model alone (CUDA_VISIBLE_DEVICES), delete the session's spool folder and run again");
    }
    video.copy(spool, sound, clock);
    pulse.beat();
    add_damage(clip, spool, first_frame(spool), damaged);
  }
  if (video.written() != clip.frame_count) {
    throw Error(Cause::engine, path, std::to_string(clip.frame_count) + " frames in its spools",
                std::to_string(video.written()), "delete the session's spool folder and run again");
  }
  sound.finish(file, clock);
  file.finish();
  publish(path);
  return damaged;
}

}  // namespace emomedia
