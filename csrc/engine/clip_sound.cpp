#include "engine/clip_sound.h"

#include <algorithm>
#include <array>
#include <utility>

#include "av/check.h"

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

}  // namespace

PcmReader::PcmReader(const PcmSource& source) : file_(source.path), bits_(source.bits) {}

void PcmReader::read(std::int64_t first, std::span<float> out) const {
  if (bits_ > 16) {
    read_floats<std::int32_t>(file_, bits_, first, out);
  } else {
    read_floats<std::int16_t>(file_, bits_, first, out);
  }
}

ClipSound::ClipSound(const Clip& clip, std::vector<const PcmReader*> sound, std::int64_t bit_rate)
    : first_sample_(clip.first_sample),
      samples_(clip.sample_count),
      sound_(std::move(sound)),
      encoder_(kSampleRate, static_cast<int>(sound_.size()), bit_rate) {}

void ClipSound::encode_ahead(const std::stop_token& stop, Pulse& pulse, StageClock& clock) {
  clock.enter(Stage::sound);
  while (encoded_ < samples_ && !stop.stop_requested()) {
    encode_frame();
    pulse.beat();
  }
}

void ClipSound::encode_frame() {
  const auto samples = static_cast<int>(std::min<std::int64_t>(encoder_.frame_samples(), samples_ - encoded_));
  const auto channels = encoder_.channels();
  for (std::size_t c = 0; c < channels.size(); ++c) {
    sound_[c]->read(first_sample_ + encoded_, channels[c].first(static_cast<std::size_t>(samples)));
  }
  Packets& packets = ahead_.emplace_back();
  encoder_.encode(samples, [&packets](AVPacket& packet) {
    av_packet_move_ref(packets.emplace_back(av::make_packet()).get(), &packet);
  });
  encoded_ += samples;
}

void ClipSound::write_until(std::int64_t sample, av::Mp4Writer& file, StageClock& clock) {
  const std::int64_t end = std::min(sample, samples_);
  if (written_ >= end) return;
  clock.enter(Stage::sound);
  for (; written_ < end; written_ = std::min(written_ + encoder_.frame_samples(), samples_)) {
    if (ahead_.empty()) encode_frame();
    for (const av::Packet& packet : ahead_.front()) file.write_audio(*packet);
    ahead_.pop_front();
  }
  clock.enter(Stage::write);
}

void ClipSound::finish(av::Mp4Writer& file, StageClock& clock) {
  write_until(samples_, file, clock);
  encoder_.finish([&file](AVPacket& packet) { file.write_audio(packet); });
}

}  // namespace emomedia
