#include "engine/packed_picture.h"

#include "av/pack_p010.h"

namespace emomedia {
namespace {

std::size_t plane_bytes(const MutablePicture& picture, std::size_t plane) {
  const int number = static_cast<int>(plane);
  return static_cast<std::size_t>(picture.format.plane_width(number) * picture.step(number));
}

// Planes one after the other; in P010 V lies in U's.
void lay_out(MutablePicture& picture, std::vector<std::uint8_t>& memory) {
  std::array<std::size_t, 3> first{};
  std::size_t bytes = 0;
  for (std::size_t p = 0; p < 3; ++p) {
    const bool within = picture.p010 && p == 2;
    picture.stride[p] = static_cast<std::ptrdiff_t>(plane_bytes(picture, p));
    first[p] = within ? first[1] + static_cast<std::size_t>(picture.format.sample_bytes()) : bytes;
    if (!within) bytes += plane_bytes(picture, p) * static_cast<std::size_t>(picture.format.plane_height(static_cast<int>(p)));
  }
  memory.resize(bytes);
  for (std::size_t p = 0; p < 3; ++p) picture.data[p] = memory.data() + first[p];
}

}  // namespace

const MutablePicture& PackedPicture::shaped(const MutablePicture& there) {
  if (copied_.format == there.format && copied_.p010 == there.p010 && !memory_.empty()) return planar();
  copied_.format = planar_.format = there.format;
  copied_.p010 = there.p010;
  lay_out(copied_, memory_);
  if (copied_.p010) lay_out(planar_, planes_);
  return planar();
}

void PackedPicture::copy_in(gpu::Queue& queue, const MutablePicture& there) {
  if (copied_.p010) av::pack_p010(planar_, copied_);
  for (std::size_t p = 0; p < 3; ++p) {
    if (width(p) > 0) queue.copy_in({copied_.data[p], copied_.stride[p]}, {there.data[p], there.stride[p]}, width(p), rows(p));
  }
}

const MutablePicture& PackedPicture::copy_out(gpu::Queue& queue, const MutablePicture& there) {
  shaped(there);
  for (std::size_t p = 0; p < 3; ++p) {
    if (width(p) > 0) queue.copy_out({there.data[p], there.stride[p]}, {copied_.data[p], copied_.stride[p]}, width(p), rows(p));
  }
  queue.wait();
  if (copied_.p010) av::unpack_p010(copied_, planar_);
  return planar();
}

std::size_t PackedPicture::width(std::size_t plane) const {
  return copied_.p010 && plane == 2 ? 0 : plane_bytes(copied_, plane);
}

std::size_t PackedPicture::rows(std::size_t plane) const {
  return static_cast<std::size_t>(copied_.format.plane_height(static_cast<int>(plane)));
}

}  // namespace emomedia
