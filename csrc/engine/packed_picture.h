// A picture in the host's memory on its way to or from a GPU's: its planes one after the other, without gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "emomedia/frame.h"
#include "gpu/device.h"

namespace emomedia {

class PackedPicture {
 public:
  // A picture of that format, of any content, valid until the next call.
  const MutablePicture& shaped(const PictureFormat& format);
  std::span<std::uint8_t> memory() { return memory_; }

  // Queued: to or from a picture of the same format in the GPU's memory.
  void copy_in(gpu::Queue& queue, const MutablePicture& there) const;
  void copy_out(gpu::Queue& queue, const MutablePicture& there) const;

 private:
  std::size_t width(int plane) const;  // bytes
  std::size_t rows(int plane) const;

  MutablePicture picture_;
  std::vector<std::uint8_t> memory_;
};

}  // namespace emomedia
