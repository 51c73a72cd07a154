// One side's pictures of one size: a take's frames cropped, turned, scaled, in the composite's colours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "emomedia/job.h"
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

 private:
  void compose_in_other_colors(const PictureView& source, const MutablePicture& picture);
  void compose_plane(const PictureView& source, int plane, std::uint8_t* output, std::ptrdiff_t output_stride,
                     int output_depth);

  const Take& take_;
  std::array<PackedFilter, 3> filters_;
  const ComposeKernels& kernels_;
  SideScratch& scratch_;
};

}  // namespace emomedia
