// A half's filters as the GPU's kernel reads them (compose_launch.h), and how much memory its tiles need.
#pragma once

#include <array>
#include <vector>

#include "gpu/compose_launch.h"
#include "kernels/filter.h"

namespace emomedia::gpu {

// Which side of the products an axis' coefficients are: rows' the left one, columns' the right one.
enum class Side { left, right };

// The blocks of an axis that is cut into tiles of `length` outputs.
std::vector<AxisBlock> blocks_of(const AxisFilter& filter, int length, Side side);

// Their coefficients, in as many steps as they have; sets where those lie.
std::vector<FourWords> coefficients_of(const AxisFilter& filter, int length, Side side, std::vector<AxisBlock>& blocks);

// The largest tiles within `cols` and `rows`, powers of two, that `most_bytes` hold. Throws Error(device) for ratios of
// which they do not hold even the smallest.
TileShape largest_shape(const std::array<PlaneFilter, 3>& filters, const HalfGeometry& geometry, int cols, int rows,
                        std::size_t most_bytes);

}  // namespace emomedia::gpu
