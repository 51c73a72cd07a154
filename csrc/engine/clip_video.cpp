#include "engine/clip_video.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "av/open_encoder.h"
#include "av/watch.h"
#include "emomedia/engine.h"
#include "engine/encoder_gate.h"
#include "engine/encoding_place.h"
#include "gpu/device.h"

namespace emomedia {
namespace {

EncodingPlace first_place(const Job& job) {
  return {job, job.encoder_gpus.empty() ? nullptr : job.encoder_gpus.front()};
}

std::vector<ClipVideo> described(const Job& job, Pulse& pulse) {
  const EncodingPlace place = first_place(job);
  EncoderGate gate;
  std::vector<ClipVideo> videos;
  for (std::size_t number = 0; number < job.picture_count(); ++number) {
    const auto describe = [&] {
      const av::VideoEncoder encoder(job.settings(number), place.memory());
      videos.push_back({encoder.parameters(), encoder.parameter_sets(), encoder.reorder_depth()});
    };
    gate.pass(describe, job.stall_seconds, {}, pulse);
  }
  return videos;
}

}  // namespace

// By a thread that has what it needs of the job for itself, should the driver hang.
std::vector<ClipVideo> describe_videos(const Job& job, const Idle& idle) {
  Job asked;
  asked.video = job.video;
  asked.sides = job.sides;
  asked.encoder_gpus = job.encoder_gpus;
  asked.stall_seconds = job.stall_seconds;
  const auto videos = std::make_shared<std::vector<ClipVideo>>();
  const auto describe = [videos, asked](Pulse& pulse) { *videos = described(asked, pulse); };
  do_watched(job.video.encoder, kStallSeconds, describe, idle, kStalledDriver);
  return std::move(*videos);
}

void try_encoder(const VideoSettings& settings, std::shared_ptr<gpu::Device> gpu, const Idle& idle) {
  Job job;
  job.video = settings;
  job.encoder_gpus = {std::move(gpu)};
  const auto open = [job](Pulse&) {
    const EncodingPlace place = first_place(job);
    try {
      const av::VideoEncoder encoder(job.video, place.memory());
    } catch (const av::NoSessionLeft&) {
      return;  // others have them now; a run waits for theirs
    }
  };
  do_watched(settings.encoder, kStallSeconds, open, idle, kStalledDriver);
}

}  // namespace emomedia
