#include "pictures.h"

#include <cstring>
#include <new>

namespace emomedia::bench {

Picture::Picture(const PictureFormat& format) {
  picture_.format = format;
  std::array<std::size_t, 3> offset{};
  for (std::size_t p = 0; p < 3; ++p) {
    const auto row = static_cast<std::size_t>(format.plane_width(static_cast<int>(p)) * format.sample_bytes());
    const std::size_t stride = (row + kAlignment - 1) / kAlignment * kAlignment;
    picture_.stride[p] = static_cast<std::ptrdiff_t>(stride);
    offset[p] = bytes_;
    bytes_ += stride * static_cast<std::size_t>(format.plane_height(static_cast<int>(p)));
  }
  memory_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, bytes_)));
  if (!memory_) throw std::bad_alloc();
  for (std::size_t p = 0; p < 3; ++p) picture_.data[p] = memory_.get() + offset[p];
}

PictureView Picture::view() const {
  return {picture_.format, {picture_.data[0], picture_.data[1], picture_.data[2]}, picture_.stride};
}

Pool::Pool(const PictureFormat& format, int count) : format_(format) {
  pictures_.reserve(static_cast<std::size_t>(count));
  for (int n = 0; n < count; ++n) pictures_.emplace_back(format);
}

void Pool::fill(int plane, const std::uint8_t* rows) {
  const auto p = static_cast<std::size_t>(plane);
  const auto row = static_cast<std::size_t>(format_.plane_width(plane) * format_.sample_bytes());
  for (Picture& picture : pictures_) {
    const MutablePicture to = picture.view();
    for (int y = 0; y < format_.plane_height(plane); ++y) {
      std::memcpy(to.data[p] + y * to.stride[p], rows + static_cast<std::size_t>(y) * row, row);
    }
  }
}

PictureView Pool::next() {
  const Picture& picture = pictures_[at_];
  at_ = (at_ + 1) % pictures_.size();
  return picture.view();
}

}  // namespace emomedia::bench
