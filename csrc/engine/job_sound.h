// The sound of a job's clips, some of it encoded before it is wanted.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/clip_sound.h"

namespace emomedia {

// Thread-safe.
class JobSound {
 public:
  explicit JobSound(const Job& job);  // borrowed

  // Encodes a clip's sound while its chunks are made: where the longest clip of a run has to wait for these, one worker
  // would be left with its sound.
  void encode_ahead(std::size_t clip, const std::stop_token& stop, Pulse& pulse, StageClock& clock);

  // One picture's of a clip, encoded ahead or to be encoded: both actors' with the composite, its own with a side alone.
  std::unique_ptr<ClipSound> take(std::size_t clip, std::size_t picture);

 private:
  std::unique_ptr<ClipSound> sound_of(std::size_t clip, std::size_t picture) const;

  const Job& job_;
  const std::array<PcmReader, 2> tracks_;
  std::mutex mutex_;
  std::map<std::size_t, std::vector<std::unique_ptr<ClipSound>>> ahead_;  // by clip, then by picture
};

}  // namespace emomedia
