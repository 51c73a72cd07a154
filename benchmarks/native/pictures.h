// Pictures that the benchmarks own, laid out as decoders lay them out: rows padded to whole cache lines.
#pragma once

#include <cstdlib>
#include <memory>
#include <vector>

#include "emomedia/frame.h"

namespace emomedia::bench {

inline constexpr std::size_t kAlignment = 64;  // of rows and planes: what zimg asks for with 64-byte vectors

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

class Picture {
 public:
  explicit Picture(const PictureFormat& format);

  PictureView view() const;
  MutablePicture view() { return picture_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::unique_ptr<std::uint8_t, Free> memory_;
  MutablePicture picture_;
  std::size_t bytes_ = 0;
};

// As many copies of one picture as it takes to push each out of the caches before it is read again.
class Pool {
 public:
  Pool(const PictureFormat& format, int count);

  // Copies tight rows of samples into a plane of every picture.
  void fill(int plane, const std::uint8_t* rows);
  PictureView next();
  const PictureFormat& format() const { return format_; }

 private:
  PictureFormat format_;
  std::vector<Picture> pictures_;
  std::size_t at_ = 0;
};

}  // namespace emomedia::bench
