#include "av/pack_p010.h"

#include <cstdint>
#include <cstring>

namespace emomedia::av {
namespace {

constexpr int kShift = 6;

// Each sample of `from`, as `convert` makes it, to its place in `to`.
template <typename Convert>
void convert_samples(const MutablePicture& from, const MutablePicture& to, Convert convert) {
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    const int width = from.format.plane_width(plane), from_step = from.step(plane), to_step = to.step(plane);
    for (int y = 0; y < from.format.plane_height(plane); ++y) {
      const std::uint8_t* source = from.data[p] + y * from.stride[p];
      std::uint8_t* target = to.data[p] + y * to.stride[p];
      for (int x = 0; x < width; ++x) {
        std::uint16_t sample = 0;
        std::memcpy(&sample, source + x * from_step, sizeof sample);
        sample = convert(sample);
        std::memcpy(target + x * to_step, &sample, sizeof sample);
      }
    }
  }
}

}  // namespace

void pack_p010(const MutablePicture& planar, const MutablePicture& packed) {
  convert_samples(planar, packed, [](std::uint16_t sample) { return static_cast<std::uint16_t>(sample << kShift); });
}

void unpack_p010(const MutablePicture& packed, const MutablePicture& planar) {
  convert_samples(packed, planar, [](std::uint16_t sample) { return static_cast<std::uint16_t>(sample >> kShift); });
}

}  // namespace emomedia::av
