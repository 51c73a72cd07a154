#include "engine/side_composer.h"

namespace emomedia {
namespace {

HalfGeometry geometry_of(const Take& take, const Crop& crop, int width, int height) {
  if (take.color) require_valid(*take.color);
  return {take.format, take.siting, take.rotate, take.mirrored, crop, width, height, take.color.has_value()};
}

}  // namespace

SideComposer::SideComposer(const Take& take, const Crop& crop, int width, int height, SideScratch& scratch)
    : take_(take),
      geometry_(geometry_of(take, crop, width, height)),
      filters_(packed_filters(geometry_)),
      kernels_(compose_kernels()),
      scratch_(scratch) {}

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

void SideComposer::compose(gpu::Device& device, gpu::Queue& queue, const gpu::SourcePicture& source,
                           const MutablePicture& picture) {
  if (!take_.color) {
    on_gpu(device, picture.format.depth).compose_to_host(queue, source, picture);
    return;
  }
  const MutablePicture full = full_chroma(picture.format);
  on_gpu(device, kColorDepth).compose_to_host(queue, source, full);
  queue.wait();
  convert_colors(full, picture);
}

void SideComposer::compose_there(gpu::Device& device, gpu::Queue& queue, const gpu::SourcePicture& source,
                                 const MutablePicture& picture) {
  on_gpu(device, picture.format.depth).compose(queue, source, picture);
}

gpu::HalfComposer& SideComposer::on_gpu(gpu::Device& device, int depth) {
  if (!on_gpu_) on_gpu_.emplace(device, geometry_, depth);
  return *on_gpu_;
}

// Composed as 4:4:4 with more bits first, then converted: the conversion costs what the picture's
// size costs, not the take's.
void SideComposer::compose_in_other_colors(const PictureView& source, const MutablePicture& picture) {
  const MutablePicture full = full_chroma(picture.format);
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    compose_plane(source, plane, full.data[p], full.stride[p], kColorDepth);
  }
  convert_colors(full, picture);
}

// Memory for a picture of that size before its colours are converted.
MutablePicture SideComposer::full_chroma(const PictureFormat& format) {
  MutablePicture full{{format.width, format.height, kColorDepth, 1, 1}};
  for (std::size_t p = 0; p < 3; ++p) {
    std::vector<std::uint16_t>& samples = scratch_.full_chroma[p];
    samples.resize(static_cast<std::size_t>(format.width) * static_cast<std::size_t>(format.height));
    full.data[p] = reinterpret_cast<std::uint8_t*>(samples.data());
    full.stride[p] = format.width * static_cast<std::ptrdiff_t>(sizeof(std::uint16_t));
  }
  return full;
}

void SideComposer::convert_colors(const MutablePicture& full, const MutablePicture& picture) {
  ColorTask task;
  for (std::size_t p = 0; p < 3; ++p) task.source[p] = scratch_.full_chroma[p].data();
  task.source_stride = full.format.width;
  task.width = full.format.width;
  task.height = full.format.height;
  task.output = picture.data;
  task.output_stride = picture.stride;
  task.output_depth = picture.format.depth;
  scratch_.color.reserve(task.width);
  color_half(task, *take_.color, scratch_.color);
}

}  // namespace emomedia
