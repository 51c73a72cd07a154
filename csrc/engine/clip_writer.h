// Makes a clip's MP4 from the spools of its chunks and the two actors' sound.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "av/handles.h"
#include "av/watch.h"
#include "emomedia/job.h"
#include "engine/file_io.h"
#include "engine/stage_clock.h"

namespace emomedia {

inline constexpr int kSampleRate = 48'000;

// An actor's sound on the session clock, mapped from the file that the job names.
class PcmReader {
 public:
  explicit PcmReader(const PcmSource& source);

  // Samples first .. first + out.size() - 1 as floats in [-1, 1); zeros beyond the file's ends.
  void read(std::int64_t first, std::span<float> out) const;

 private:
  MappedFile file_;
  int bits_;
};

// What every clip of a job has in common.
struct ClipStreams {
  const AVCodecParameters* video = nullptr;  // borrowed
  int reorder_depth = 0;
  Rational frame_rate;
  std::int64_t audio_bit_rate = 0;
  std::array<const PcmReader*, 2> sound{};  // borrowed
};

// Writes clip.path, whole or not at all. `spools` are the paths of the clip's chunks in order.
// Returns per side how many of its frames were damaged.
std::array<std::int64_t, 2> write_clip(const Clip& clip, const std::vector<std::string>& spools,
                                       const ClipStreams& streams, Pulse& pulse, StageClock& clock);

}  // namespace emomedia
