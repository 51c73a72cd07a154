// One side's pictures of one size on a GPU: composed where the decoder put the take's frames, so that only what was
// composed leaves the card.
#pragma once

#include <memory>

#include "emomedia/frame.h"
#include "gpu/compose_plan.h"
#include "gpu/device.h"

namespace emomedia::gpu {

class HalfComposer {
 public:
  // Errors as ComposePlan's, and Error(device).
  HalfComposer(Device& device, const HalfGeometry& geometry, int output_depth);

  // Into a picture in the device's memory.
  void compose(Queue& queue, const SourcePicture& source, const MutablePicture& picture) const;
  // Into one in the host's, by way of memory of the device that the next call uses again.
  void compose_to_host(Queue& queue, const SourcePicture& source, const MutablePicture& picture) const;

 private:
  ComposePlan plan_;
  Memory tables_, staged_;
  MutablePicture staging_;  // in staged_
};

}  // namespace emomedia::gpu
