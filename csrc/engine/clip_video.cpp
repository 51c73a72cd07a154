#include "engine/clip_video.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "av/open_encoder.h"
#include "av/watch.h"
#include "emomedia/engine.h"
#include "engine/encoding_place.h"
#include "gpu/device.h"

namespace emomedia {
namespace {

constexpr double kOpenSeconds = 60.0;  // until a GPU whose encoder's sessions are all taken has one

}  // namespace

std::vector<ClipVideo> describe_videos(const Job& job, EncoderGate& gate) {
  const EncodingPlace place(job, job.encoder_gpus.empty() ? nullptr : job.encoder_gpus.front());
  Pulse pulse;
  std::vector<ClipVideo> videos;
  for (std::size_t number = 0; number < job.picture_count(); ++number) {
    const auto describe = [&] {
      const av::VideoEncoder encoder(job.settings(number), place.memory());
      videos.push_back({encoder.parameters(), encoder.parameter_sets(), encoder.reorder_depth()});
    };
    gate.pass(describe, kOpenSeconds, {}, pulse);
  }
  return videos;
}

void try_encoder(const VideoSettings& settings, std::shared_ptr<gpu::Device> gpu) {
  Job job;
  job.video = settings;
  job.encoder_gpus = {std::move(gpu)};
  job.surfaces = settings.depth == 8;
  const EncodingPlace place(job, job.encoder_gpus.front());
  try {
    const av::VideoEncoder encoder(settings, place.memory());
  } catch (const av::NoSessionLeft&) {
    return;  // others have them now; a run waits for theirs
  }
}

}  // namespace emomedia
