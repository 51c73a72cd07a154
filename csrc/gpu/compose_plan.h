// A half's filter tables and tiles, laid out for the kernel (compose_launch.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "emomedia/frame.h"
#include "gpu/compose_launch.h"
#include "gpu/compose_tables.h"
#include "kernels/filter.h"

namespace emomedia::gpu {

// A plane where a decoder put it: chroma planes may lie in each other, as NV12 has them.
struct SourcePlane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;  // bytes
  int step = 1;               // bytes from one sample to the next
};

struct SourcePicture {
  PictureFormat format;
  int shift = 0;  // bits below each sample
  std::array<SourcePlane, 3> plane;
};

inline constexpr int kThreads = 256, kWarps = kThreads / 32;  // of a block
inline constexpr std::size_t kMostShared = 64 * 1024;  // bytes that a block may share: compute capability 7.5's

// Outputs of a tile, at the most: powers of two, and no more than all warps make at a time, 128. Measured, see docs/gpu.md.
struct TileLimit {
  int cols = 128, rows = 32;
};

class ComposePlan {
 public:
  // Errors as compose_filters(); also Error(device) for ratios of which not even the smallest tile fits a block.
  ComposePlan(const HalfGeometry& geometry, int output_depth, const TileLimit& limit = {});

  // What the kernel reads beside the pictures; to be copied to the device as it is, aligned to 16 bytes.
  const std::vector<std::uint8_t>& tables() const { return tables_; }

  // A launch that composes `source` into `out`, all of them in the device's memory.
  HalfLaunch launch(const SourcePicture& source, const MutablePicture& out, const std::uint8_t* tables) const;

 private:
  struct Axis {
    std::size_t block = 0, coeff = 0;  // places in tables_
    int blocks = 0, outputs = 0;

    AxisTable table(const std::uint8_t* tables) const;
  };
  struct Plane {
    Axis rows, cols;
  };

  Axis add_axis(const AxisFilter& filter, int length, Side side);
  template <typename Value>
  std::size_t add(const std::vector<Value>& values);

  HalfGeometry geometry_;
  int output_depth_;
  std::vector<std::uint8_t> tables_;
  std::array<Plane, 3> planes_;
  TileShape shape_;
};

}  // namespace emomedia::gpu
