// One side's pictures of one size: a take's frames cropped, turned, scaled, in the composite's colours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "emomedia/job.h"
#include "gpu/half_composer.h"
#include "kernels/color.h"
#include "kernels/compose.h"

namespace emomedia {

// Memory to compose in, for one picture after another of any composers.
struct SideScratch {
  ComposeScratch compose;
  std::array<std::vector<std::uint16_t>, 3> full_chroma;
  ColorScratch color;
};

class SideComposer {
 public:
  // Borrows the take and the scratch. The crop is in the take's upright pixels; width and height are those
  // of the pictures, even.
  SideComposer(const Take& take, const Crop& crop, int width, int height, SideScratch& scratch);

  // Composes a frame of the take, as decoded, into `picture` (4:2:0).
  void compose(const PictureView& source, const MutablePicture& picture);

  // The same on a GPU, into a picture in the host's memory: done when `queue` is.
  void compose(gpu::Device& device, gpu::Queue& queue, const gpu::SourcePicture& source, const MutablePicture& picture);
  // And into one in the GPU's, where no colours are converted: that is done on the cores.
  void compose_there(gpu::Device& device, gpu::Queue& queue, const gpu::SourcePicture& source,
                     const MutablePicture& picture);
  bool converts_colors() const { return take_.color.has_value(); }

 private:
  void compose_in_other_colors(const PictureView& source, const MutablePicture& picture);
  MutablePicture full_chroma(const PictureFormat& format);
  void convert_colors(const MutablePicture& full, const MutablePicture& picture);
  gpu::HalfComposer& on_gpu(gpu::Device& device, int depth);
  void compose_plane(const PictureView& source, int plane, std::uint8_t* output, std::ptrdiff_t output_stride,
                     int output_depth);

  const Take& take_;
  const HalfGeometry geometry_;
  std::array<PackedFilter, 3> filters_;
  const ComposeKernels& kernels_;
  SideScratch& scratch_;
  std::optional<gpu::HalfComposer> on_gpu_;  // made when it is first needed
};

}  // namespace emomedia
