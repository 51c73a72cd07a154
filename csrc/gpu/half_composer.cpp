#include "gpu/half_composer.h"

namespace emomedia::gpu {
namespace {

constexpr std::ptrdiff_t kRowAlignment = 256;  // bytes: what copies and stores of whole warps like

std::ptrdiff_t row_stride(int bytes) { return (bytes + kRowAlignment - 1) / kRowAlignment * kRowAlignment; }

std::size_t plane_bytes(const MutablePicture& picture, std::size_t p) {
  return static_cast<std::size_t>(picture.stride[p] * picture.format.plane_height(static_cast<int>(p)));
}

// Chooses the strides; returns how many bytes the planes take.
std::size_t measure(MutablePicture& picture) {
  std::size_t bytes = 0;
  for (std::size_t p = 0; p < 3; ++p) {
    picture.stride[p] = row_stride(picture.format.plane_width(static_cast<int>(p)) * picture.format.sample_bytes());
    bytes += plane_bytes(picture, p);
  }
  return bytes;
}

// Planes one after the other from `first` on.
void lay_out(MutablePicture& picture, std::uint8_t* first) {
  for (std::size_t p = 0; p < 3; ++p) {
    picture.data[p] = first;
    first += plane_bytes(picture, p);
  }
}

}  // namespace

HalfComposer::HalfComposer(Device& device, const HalfGeometry& geometry, int output_depth)
    : plan_(geometry, output_depth), tables_(device.upload(plan_.tables().data(), plan_.tables().size())) {
  const int sub = geometry.full_chroma ? 1 : 2;
  staging_.format = {geometry.width, geometry.height, output_depth, sub, sub};
  staged_ = device.allocate(measure(staging_));
  lay_out(staging_, staged_.get());
}

void HalfComposer::compose(Queue& queue, const SourcePicture& source, const MutablePicture& picture) const {
  queue.compose(plan_.launch(source, picture, tables_.get()));
}

void HalfComposer::compose_to_host(Queue& queue, const SourcePicture& source, const MutablePicture& picture) const {
  compose(queue, source, staging_);
  for (std::size_t p = 0; p < 3; ++p) {
    const int plane = static_cast<int>(p);
    const auto width = static_cast<std::size_t>(staging_.format.plane_width(plane) * staging_.format.sample_bytes());
    queue.copy_out({staging_.data[p], staging_.stride[p]}, {picture.data[p], picture.stride[p]}, width,
                   static_cast<std::size_t>(staging_.format.plane_height(plane)));
  }
}

}  // namespace emomedia::gpu
