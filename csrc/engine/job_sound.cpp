#include "engine/job_sound.h"

#include <cstdint>
#include <utility>

namespace emomedia {

JobSound::JobSound(const Job& job) : job_(job), tracks_{PcmReader(job.sound[0]), PcmReader(job.sound[1])} {}

void JobSound::encode_ahead(std::size_t clip, const std::stop_token& stop, Pulse& pulse, StageClock& clock) {
  std::vector<std::unique_ptr<ClipSound>> sounds;
  for (std::size_t picture = 0; picture < job_.picture_count(); ++picture) {
    sounds.push_back(sound_of(clip, picture));
    sounds.back()->encode_ahead(stop, pulse, clock);
  }
  const std::lock_guard lock(mutex_);
  ahead_[clip] = std::move(sounds);
}

std::unique_ptr<ClipSound> JobSound::take(std::size_t clip, std::size_t picture) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = ahead_.find(clip);
    if (found != ahead_.end()) return std::move(found->second[picture]);
  }
  return sound_of(clip, picture);
}

std::unique_ptr<ClipSound> JobSound::sound_of(std::size_t clip, std::size_t picture) const {
  if (picture == 0) {
    return std::make_unique<ClipSound>(job_.clips[clip], std::vector{&tracks_[0], &tracks_[1]}, job_.audio_bit_rate);
  }
  const PcmReader& track = tracks_[job_.sides[picture - 1].side];
  return std::make_unique<ClipSound>(job_.clips[clip], std::vector{&track}, job_.audio_bit_rate / 2);
}

}  // namespace emomedia
