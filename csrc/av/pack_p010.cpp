#include "av/pack_p010.h"

#include <cstdint>
#include <cstring>

namespace emomedia::av {
namespace {

constexpr int kShift = 6;

// Every `step`-th sample of `packed`.
void pack_row(const std::uint8_t* samples, std::uint8_t* packed, int count, int step) {
  for (int x = 0; x < count; ++x) {
    std::uint16_t sample = 0;
    std::memcpy(&sample, samples + 2 * x, sizeof sample);
    sample = static_cast<std::uint16_t>(sample << kShift);
    std::memcpy(packed + 2 * step * x, &sample, sizeof sample);
  }
}

}  // namespace

void pack_p010(const AVFrame& planar, AVFrame& packed, const PictureFormat& format) {
  for (int plane = 0; plane < 3; ++plane) {
    const int place = plane == 0 ? 0 : 1, step = plane == 0 ? 1 : 2;
    std::uint8_t* to = packed.data[place] + (plane == 2 ? sizeof(std::uint16_t) : 0);
    for (int y = 0; y < format.plane_height(plane); ++y) {
      pack_row(planar.data[plane] + y * planar.linesize[plane], to + y * packed.linesize[place],
               format.plane_width(plane), step);
    }
  }
}

}  // namespace emomedia::av
