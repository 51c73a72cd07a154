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
#include "engine/clip_sound.h"
#include "engine/stage_clock.h"

namespace emomedia {

// What one picture's files have in common over all clips of a job.
struct ClipStreams {
  const AVCodecParameters* video = nullptr;  // borrowed
  std::span<const std::uint8_t> parameter_sets;  // borrowed: those of all spools
  int reorder_depth = 0;
  Rational frame_rate;
};

// Writes `path`, one picture of the clip, whole or not at all. `spools` are that picture's of the clip's
// chunks in order, `sound` the clip's, from its beginning. Returns per side how many of the clip's frames were damaged.
std::array<std::int64_t, 2> write_clip(const std::string& path, const Clip& clip,
                                       const std::vector<std::string>& spools, const ClipStreams& streams,
                                       ClipSound& sound, Pulse& pulse, StageClock& clock);

}  // namespace emomedia
