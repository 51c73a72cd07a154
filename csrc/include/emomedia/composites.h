// Composites by the source frames that they show, made when they are asked for.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "emomedia/frame.h"
#include "emomedia/job.h"

namespace emomedia {

// Decode and compose without an encoder, for the tests, the fuzzer and benchmarks. Single-threaded. Ascending source
// frames are decoded once; any others cost a seek.
class Composites {
 public:
  Composites(std::array<Take, 2> takes, int width, int height, int depth);
  ~Composites();
  Composites(Composites&&) noexcept;

  PictureFormat format() const;
  // Draws the composite of these frames into `picture`; returns the damaged sides as bits.
  std::uint8_t render(const std::array<std::int64_t, 2>& source, const MutablePicture& picture);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace emomedia
