// Makes a clip's MP4 from the spools of its chunks and the two actors' sound.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "av/handles.h"
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

// What one picture's files have in common over all clips of a job.
struct ClipStreams {
  const AVCodecParameters* video = nullptr;  // borrowed
  std::span<const std::uint8_t> parameter_sets;  // borrowed: those of all spools
  int reorder_depth = 0;
  Rational frame_rate;
  std::int64_t audio_bit_rate = 0;
  std::vector<const PcmReader*> sound;  // one a channel, borrowed
};

// Writes `path`, one picture of the clip, whole or not at all. `spools` are that picture's of the clip's
// chunks in order. Returns per side how many of the clip's frames were damaged.
std::array<std::int64_t, 2> write_clip(const std::string& path, const Clip& clip,
                                       const std::vector<std::string>& spools, const ClipStreams& streams,
                                       Pulse& pulse, StageClock& clock);

}  // namespace emomedia
