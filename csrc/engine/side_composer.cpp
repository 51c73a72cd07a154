#include "engine/side_composer.h"

namespace emomedia {
namespace {

std::array<PackedFilter, 3> filters(const Take& take, const Crop& crop, int width, int height) {
  if (take.color) require_valid(*take.color);
  return packed_filters(
      {take.format, take.siting, take.rotate, take.mirrored, crop, width, height, take.color.has_value()});
}

}  // namespace

SideComposer::SideComposer(const Take& take, const Crop& crop, int width, int height, SideScratch& scratch)
    : take_(take), filters_(filters(take, crop, width, height)), kernels_(compose_kernels()), scratch_(scratch) {}

void SideComposer::compose(const PictureView& source, const MutablePicture& picture) {
  if (take_.color) {
    compose_in_other_colors(source, picture);
    return;
  }
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    compose_plane(source, plane, picture.data[p], picture.stride[p], picture.format.depth);
  }
}

void SideComposer::compose_plane(const PictureView& source, int plane, std::uint8_t* output,
                                 std::ptrdiff_t output_stride, int output_depth) {
  const auto p = static_cast<std::size_t>(plane);
  PlaneTask task;
  task.source = source.data[p];
  task.source_stride = source.stride[p];
  task.depth = source.format.depth;
  task.filter = &filters_[p];
  task.output = output;
  task.output_stride = output_stride;
  task.output_depth = output_depth;
  scratch_.compose.reserve(task);
  emomedia::compose_plane(task, kernels_, scratch_.compose);
}

// Composed as 4:4:4 with more bits first, then converted: the conversion costs what the picture's
// size costs, not the take's.
void SideComposer::compose_in_other_colors(const PictureView& source, const MutablePicture& picture) {
  const int width = picture.format.width, height = picture.format.height;
  ColorTask task;
  task.source_stride = width;
  task.width = width;
  task.height = height;
  task.output = picture.data;
  task.output_stride = picture.stride;
  task.output_depth = picture.format.depth;
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    std::vector<std::uint16_t>& samples = scratch_.full_chroma[p];
    samples.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    compose_plane(source, plane, reinterpret_cast<std::uint8_t*>(samples.data()),
                  width * static_cast<std::ptrdiff_t>(sizeof(std::uint16_t)), kColorDepth);
    task.source[p] = samples.data();
  }
  scratch_.color.reserve(width);
  color_half(task, *take_.color, scratch_.color);
}

}  // namespace emomedia
