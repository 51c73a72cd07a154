// What all kernels share: orientation, scratch memory, and the choice among them.
#include "kernels/compose.h"

#include <algorithm>

namespace emomedia {

namespace {

UprightPlane turned(const std::uint8_t* data, std::ptrdiff_t stride, int width, int height, int sample_bytes,
                    int rotate) {
  const std::ptrdiff_t right = static_cast<std::ptrdiff_t>(width - 1) * sample_bytes;
  const std::ptrdiff_t bottom = static_cast<std::ptrdiff_t>(height - 1) * stride;
  switch (rotate) {
    case 90: return {data + bottom, -stride, sample_bytes};
    case 180: return {data + bottom + right, -sample_bytes, -stride};
    case 270: return {data + right, stride, -sample_bytes};
    default: return {data, sample_bytes, stride};
  }
}

}  // namespace

UprightPlane upright(const std::uint8_t* data, std::ptrdiff_t stride, int width, int height, int sample_bytes,
                     int rotate, bool mirrored) {
  UprightPlane plane = turned(data, stride, width, height, sample_bytes, rotate);
  if (mirrored) {
    const int upright_width = rotate % 180 == 0 ? width : height;
    plane.origin += (upright_width - 1) * plane.step_x;
    plane.step_x = -plane.step_x;
  }
  return plane;
}

void ComposeScratch::reserve(const PlaneTask& task) {
  const auto width = static_cast<std::size_t>(task.filter->cols.end_source);
  const auto height = static_cast<std::size_t>(task.filter->rows.end_source);
  const int sample_bytes = task.depth > 8 ? 2 : 1;
  row.resize(std::max(row.size(), width));
  if (task.source.step_x != sample_bytes) {
    turned.resize(std::max(turned.size(), width * height * static_cast<std::size_t>(sample_bytes)));
  }
}

const ComposeKernels& compose_kernels() { return kScalarKernels; }

}  // namespace emomedia
