// What a block of threads does, between its barriers.
#pragma once

#include "gpu/compose_tile.h"

namespace emomedia::gpu {

// The block's plane and its tile there.
EMOMEDIA_DEVICE Work work_of(const HalfLaunch& launch, int block, std::uint8_t* shared) {
  int plane = 0;
  while (block >= launch.plane[plane].tiles) block -= launch.plane[plane++].tiles;
  return {launch.plane[plane], launch.shape, tile_of(launch.plane[plane], launch.shape, block), shared};
}

EMOMEDIA_DEVICE void vertical_of(const Work& work, int thread, int threads) {
  const bool usual = work.plane.rows.groups == kUsualGroups;
  if (work.plane.sample_bytes == 1) {
    usual ? vertical<1, kUsualGroups>(work, thread, threads) : vertical<1, 0>(work, thread, threads);
  } else {
    usual ? vertical<2, kUsualGroups>(work, thread, threads) : vertical<2, 0>(work, thread, threads);
  }
}

EMOMEDIA_DEVICE void horizontal_of(const Work& work, int thread, int threads) {
  const bool usual = work.plane.cols.groups == kUsualGroups;
  usual ? horizontal<kUsualGroups>(work, thread, threads) : horizontal<0>(work, thread, threads);
}

}  // namespace emomedia::gpu
