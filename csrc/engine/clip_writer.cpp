#include "engine/clip_writer.h"

#include <algorithm>
#include <iterator>

#include "av/audio_encoder.h"
#include "av/mp4_writer.h"
#include "emomedia/error.h"
#include "engine/spool.h"

namespace emomedia {
namespace {

constexpr std::size_t kBlock = 1024;  // samples read at a time

template <typename Sample>
void read_floats(const FileReader& file, int bits, std::int64_t first, std::span<float> out) {
  const auto samples = static_cast<std::int64_t>(file.size() / sizeof(Sample));
  const float scale = 1.0F / static_cast<float>(1 << (bits - 1));
  const std::int64_t begin = std::clamp<std::int64_t>(first, 0, samples);
  const std::int64_t end = std::clamp<std::int64_t>(first + std::ssize(out), 0, samples);
  std::ranges::fill(out, 0.0F);
  std::array<Sample, kBlock> block;
  for (std::int64_t place = begin; place < end; place += std::ssize(block)) {
    const auto part = std::span(block).first(std::min(kBlock, static_cast<std::size_t>(end - place)));
    file.read(static_cast<std::uint64_t>(place) * sizeof(Sample), std::as_writable_bytes(part));
    std::ranges::transform(part, out.begin() + (place - first),
                           [scale](Sample sample) { return static_cast<float>(sample) * scale; });
  }
}

// Feeds a clip's sound to the file, as far as the video has come.
class SoundTrack {
 public:
  SoundTrack(const Clip& clip, const ClipStreams& streams, av::AudioEncoder& encoder, av::Mp4Writer& file,
             StageClock& clock)
      : clip_(clip), streams_(streams), encoder_(encoder), file_(file), clock_(clock) {}

  void write_until(std::int64_t sample) {
    if (written_ >= std::min(sample, clip_.sample_count)) return;
    clock_.enter(Stage::sound);
    while (written_ < std::min(sample, clip_.sample_count)) write_frame();
    clock_.enter(Stage::write);
  }

  void finish() {
    write_until(clip_.sample_count);
    encoder_.finish([this](AVPacket& packet) { file_.write_audio(packet); });
  }

 private:
  void write_frame() {
    const std::int64_t left = clip_.sample_count - written_;
    const auto samples = static_cast<int>(std::min<std::int64_t>(encoder_.frame_samples(), left));
    const auto channels = encoder_.channels();
    for (std::size_t c = 0; c < channels.size(); ++c) {
      streams_.sound[c]->read(clip_.first_sample + written_, channels[c].first(static_cast<std::size_t>(samples)));
    }
    encoder_.encode(samples, [this](AVPacket& packet) { file_.write_audio(packet); });
    written_ += samples;
  }

  const Clip& clip_;
  const ClipStreams& streams_;
  av::AudioEncoder& encoder_;
  av::Mp4Writer& file_;
  StageClock& clock_;
  std::int64_t written_ = 0;
};

// Copies the spools' packets that belong to the clip, stamping DTS anew: decoding order, less the
// reorder depth. The chunks' own would collide at their edges.
class VideoTrack {
 public:
  VideoTrack(const Clip& clip, const ClipStreams& streams, av::Mp4Writer& file)
      : clip_(clip), streams_(streams), file_(file) {}

  void copy(const Spool& spool, SoundTrack& sound) {
    for (const SpoolRecord& record : spool.packets()) {
      const std::int64_t pts = record.frame - clip_.first_frame;
      if (pts < 0 || pts >= clip_.frame_count) continue;
      sound.write_until(written_ * kSampleRate * streams_.frame_rate.den / streams_.frame_rate.num);
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

PcmReader::PcmReader(const PcmSource& source) : file_(source.path), bits_(source.bits) {}

void PcmReader::read(std::int64_t first, std::span<float> out) const {
  if (bits_ > 16) {
    read_floats<std::int32_t>(file_, bits_, first, out);
  } else {
    read_floats<std::int16_t>(file_, bits_, first, out);
  }
}

std::array<std::int64_t, 2> write_clip(const std::string& path, const Clip& clip,
                                       const std::vector<std::string>& spools, const ClipStreams& streams,
                                       Pulse& pulse, StageClock& clock) {
  clock.enter(Stage::write);
  struct Part {
    const std::string& path;
    ~Part() { discard_part(path); }
  } const part{path};

  av::AudioEncoder audio(kSampleRate, static_cast<int>(streams.sound.size()), streams.audio_bit_rate);
  av::Mp4Writer file(part_path(path), *streams.video, streams.frame_rate, *audio.parameters(), kSampleRate);
  SoundTrack sound(clip, streams, audio, file, clock);
  VideoTrack video(clip, streams, file);
  std::array<std::int64_t, 2> damaged{};
  for (const std::string& spool_path : spools) {
    const Spool spool(spool_path);
    if (!std::ranges::equal(spool.parameter_sets(), streams.parameter_sets)) {
      throw Error(Cause::engine, spool_path, "the parameter sets of the clip's other chunks", "those of another encoder",
                  "use GPUs of one model alone (CUDA_VISIBLE_DEVICES), delete the session's spool folder and run again");
    }
    video.copy(spool, sound);
    pulse.beat();
    add_damage(clip, spool, first_frame(spool), damaged);
  }
  if (video.written() != clip.frame_count) {
    throw Error(Cause::engine, path, std::to_string(clip.frame_count) + " frames in its spools",
                std::to_string(video.written()), "delete the session's spool folder and run again");
  }
  sound.finish();
  file.finish();
  publish(path);
  return damaged;
}

}  // namespace emomedia
