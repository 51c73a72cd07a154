// The video streams of a job's clips, as its encoders describe them before any chunk is made.
#pragma once

#include <cstdint>
#include <vector>

#include "av/video_encoder.h"
#include "emomedia/job.h"
#include "emomedia/media.h"

namespace emomedia {

// What the encoders of one picture have in common over all chunks.
struct ClipVideo {
  av::Parameters parameters;
  std::vector<std::uint8_t> parameter_sets;
  int reorder_depth;
};

// By picture. Opens encoders that are never fed. Throws as try_encoder does, Error(device) too where no session is to be
// had for as long as a worker may go without progress, and what `idle` throws.
std::vector<ClipVideo> describe_videos(const Job& job, const Idle& idle);

}  // namespace emomedia
