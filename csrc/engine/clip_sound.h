// A clip's sound as AAC: encoded as the video comes, or ahead of it.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "av/audio_encoder.h"
#include "av/mp4_writer.h"
#include "av/watch.h"
#include "emomedia/job.h"
#include "engine/file_io.h"
#include "engine/stage_clock.h"

namespace emomedia {

inline constexpr int kSampleRate = 48'000;

// An actor's sound on the session clock, read from the file that the job names.
class PcmReader {
 public:
  explicit PcmReader(const PcmSource& source);

  // Samples first .. first + out.size() - 1 as floats in [-1, 1); zeros beyond the file's ends.
  void read(std::int64_t first, std::span<float> out) const;

 private:
  FileReader file_;
  int bits_;
};

// The packets are the same whenever they are encoded, and go into the file at the same places.
class ClipSound {
 public:
  // Borrows the readers, one a channel.
  ClipSound(const Clip& clip, std::vector<const PcmReader*> sound, std::int64_t bit_rate);

  av::Parameters parameters() const { return encoder_.parameters(); }

  // Encodes all of it, or what there is time for before `stop`, and keeps the packets.
  void encode_ahead(const std::stop_token& stop, Pulse& pulse, StageClock& clock);

  // Writes what begins before `sample` of the clip; the rest, and what the encoder holds.
  void write_until(std::int64_t sample, av::Mp4Writer& file, StageClock& clock);
  void finish(av::Mp4Writer& file, StageClock& clock);

 private:
  // A frame of the encoder's, and what came out when it went in.
  using Packets = std::vector<av::Packet>;
  void encode_frame();

  const std::int64_t first_sample_, samples_;
  const std::vector<const PcmReader*> sound_;
  av::AudioEncoder encoder_;
  std::deque<Packets> ahead_;  // encoded, not written
  std::int64_t encoded_ = 0, written_ = 0;  // samples
};

}  // namespace emomedia
