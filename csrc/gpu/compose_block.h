// What a block of threads does between its barriers, and which version of it a half takes.
#pragma once

#include "gpu/compose_tile.h"

namespace emomedia::gpu {

// The work of the block at a place of the grid, whose third axis is the planes; of some places there is none.
EMOMEDIA_DEVICE bool has_work(const HalfLaunch& launch, int across, int down, int plane) {
  return across < launch.plane[plane].tiles_across && down < launch.plane[plane].tiles_down;
}

EMOMEDIA_DEVICE Work work_of(const HalfLaunch& launch, int across, int down, int plane, std::uint8_t* shared) {
  return {launch.plane[plane], launch.shape, tile_of(launch.plane[plane], launch.shape, across, down), shared};
}

// One version: for some samples, for planes that lie on their side or not, for the usual number of taps or any.
template <Samples kSamples, bool kSwapped, bool kUsual>
struct Block {
  static constexpr int kGroups = kUsual ? kUsualGroups : 0;

  EMOMEDIA_DEVICE static void load(const Work& work, int thread, int threads) {
    gpu::load<kSamples, kSwapped>(work, thread, threads);
  }
  EMOMEDIA_DEVICE static void vertical(const Work& work, int thread) {
    gpu::vertical<kSamples, kGroups>(work, thread);
  }
  EMOMEDIA_DEVICE static void horizontal(const Work& work, int thread, int threads) {
    gpu::horizontal<kGroups>(work, thread, threads);
  }
};

// Calls `run` with the half's version.
template <Samples kSamples, typename Run>
auto with_block(const HalfLaunch& launch, const Run& run) {
  if (launch.swapped) return launch.usual ? run(Block<kSamples, true, true>()) : run(Block<kSamples, true, false>());
  return launch.usual ? run(Block<kSamples, false, true>()) : run(Block<kSamples, false, false>());
}

template <typename Run>
auto with_block(const HalfLaunch& launch, const Run& run) {
  switch (launch.samples) {
    case Samples::words: return with_block<Samples::words>(launch, run);
    case Samples::upper: return with_block<Samples::upper>(launch, run);
    default: return with_block<Samples::bytes>(launch, run);
  }
}

}  // namespace emomedia::gpu
