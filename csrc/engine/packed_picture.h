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
  // A planar picture of any content, valid until the next call: it goes to, or comes from, one such as `there`.
  const MutablePicture& shaped(const MutablePicture& there);
  // What is copied.
  std::span<std::uint8_t> memory() { return memory_; }

  // Queued: what was drawn in the picture that was given last, to one in the GPU's memory.
  void copy_in(gpu::Queue& queue, const MutablePicture& there);
  // One in the GPU's memory, as a planar picture in the host's; waits for it.
  const MutablePicture& copy_out(gpu::Queue& queue, const MutablePicture& there);

 private:
  std::size_t width(std::size_t plane) const;  // bytes, of what is copied; none of a plane that lies in another
  std::size_t rows(std::size_t plane) const;
  const MutablePicture& planar() const { return copied_.p010 ? planar_ : copied_; }

  MutablePicture copied_, planar_;  // the latter where it is another
  std::vector<std::uint8_t> memory_, planes_;
};

}  // namespace emomedia
