// An exact ratio of two integers, such as a frame rate or a time base.
#pragma once

#include <cstdint>

namespace emomedia {

struct Rational {
  std::int64_t num = 0;
  std::int64_t den = 1;

  friend bool operator==(const Rational&, const Rational&) = default;
};

}  // namespace emomedia
