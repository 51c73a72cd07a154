// Where a worker's encoders work, and where their pictures lie.
#pragma once

#include <algorithm>
#include <memory>

#include "av/open_encoder.h"
#include "emomedia/job.h"
#include "gpu/device.h"

namespace emomedia {

// Outlives the encoders that are given its memory.
class EncodingPlace {
 public:
  EncodingPlace(const Job& job, const std::shared_ptr<gpu::Device>& own) {
    const auto& all = job.encoder_gpus;
    if (all.empty()) return;
    on_gpu_ = std::ranges::find(all, own) != all.end();
    queue_ = (on_gpu_ ? own : all.front())->make_queue();
  }

  av::EncoderMemory memory() const { return {queue_ ? queue_->decoding() : nullptr, on_gpu_}; }
  bool on_gpu() const { return on_gpu_; }
  gpu::Queue& queue() const { return *queue_; }  // where there is one: always with pictures on the GPU

 private:
  bool on_gpu_ = false;
  std::unique_ptr<gpu::Queue> queue_;
};

}  // namespace emomedia
