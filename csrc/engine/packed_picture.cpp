#include "engine/packed_picture.h"

namespace emomedia {

const MutablePicture& PackedPicture::shaped(const PictureFormat& format) {
  if (picture_.format == format && !memory_.empty()) return picture_;
  picture_.format = format;
  std::size_t bytes = 0;
  for (int plane = 0; plane < 3; ++plane) bytes += width(plane) * rows(plane);
  memory_.resize(bytes);
  std::uint8_t* at = memory_.data();
  for (std::size_t p = 0; p < 3; ++p) {
    const int plane = static_cast<int>(p);
    picture_.data[p] = at;
    picture_.stride[p] = static_cast<std::ptrdiff_t>(width(plane));
    at += width(plane) * rows(plane);
  }
  return picture_;
}

void PackedPicture::copy_in(gpu::Queue& queue, const MutablePicture& there) const {
  for (std::size_t p = 0; p < 3; ++p) {
    const int plane = static_cast<int>(p);
    queue.copy_in({picture_.data[p], picture_.stride[p]}, {there.data[p], there.stride[p]}, width(plane), rows(plane));
  }
}

void PackedPicture::copy_out(gpu::Queue& queue, const MutablePicture& there) const {
  for (std::size_t p = 0; p < 3; ++p) {
    const int plane = static_cast<int>(p);
    queue.copy_out({there.data[p], there.stride[p]}, {picture_.data[p], picture_.stride[p]}, width(plane), rows(plane));
  }
}

std::size_t PackedPicture::width(int plane) const {
  return static_cast<std::size_t>(picture_.format.plane_width(plane) * picture_.format.sample_bytes());
}

std::size_t PackedPicture::rows(int plane) const { return static_cast<std::size_t>(picture_.format.plane_height(plane)); }

}  // namespace emomedia
