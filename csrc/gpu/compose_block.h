// What a block of threads does between its barriers, and which version of it a half takes.
#pragma once

#include "gpu/compose_filter.h"
#include "gpu/compose_load.h"

namespace emomedia::gpu {

// A launch's grid: the luma's tiles above, those of the two chroma planes below and side by side.
struct Place {
  int plane, across, down;
};

EMOMEDIA_DEVICE int grid_width(const HalfLaunch& launch) {
  const int luma = launch.plane[0].tiles_across, chroma = 2 * launch.plane[1].tiles_across;
  return luma > chroma ? luma : chroma;
}
EMOMEDIA_DEVICE int grid_height(const HalfLaunch& launch) {
  return launch.plane[0].tiles_down + launch.plane[1].tiles_down;
}

// The tile of a place of the grid; beyond its plane where there is none.
EMOMEDIA_DEVICE Place place_of(const HalfLaunch& launch, int x, int y) {
  const int luma_down = launch.plane[0].tiles_down, chroma_across = launch.plane[1].tiles_across;
  if (y < luma_down) return {0, x, y};
  return x < chroma_across ? Place{1, x, y - luma_down} : Place{2, x - chroma_across, y - luma_down};
}

EMOMEDIA_DEVICE bool has_work(const HalfLaunch& launch, const Place& place) {
  return place.across < launch.plane[place.plane].tiles_across;
}

EMOMEDIA_DEVICE Work work_of(const HalfLaunch& launch, const Place& place, void* shared) {
  const PlaneLaunch& plane = launch.plane[place.plane];
  return {plane, launch.shape, tile_of(plane, launch.shape, place.across, place.down), static_cast<std::uint32_t*>(shared)};
}

// One version: for some samples, for planes that lie on their side or not, for usual ratios or any.
template <Samples kSamples, bool kSwapped, bool kUsual>
struct Block {
  static constexpr int kSteps = kUsual ? kUsualSteps : 0;

  EMOMEDIA_DEVICE static void load(const Work& work, int thread, int threads) {
    gpu::load<kSamples, kSwapped>(work, thread, threads);
  }
  EMOMEDIA_DEVICE static void vertical(const Work& work, int warp, int warps) {
    gpu::vertical<kSamples, kSwapped, kSteps>(work, warp, warps);
  }
  EMOMEDIA_DEVICE static void horizontal(const Work& work, int warp, int warps) {
    gpu::horizontal<kSteps>(work, warp, warps);
  }
};

// Calls `run` with the half's version.
template <Samples kSamples, typename Run>
auto with_block(const HalfLaunch& launch, const Run& run) {
  if (launch.swapped) return launch.shape.usual ? run(Block<kSamples, true, true>()) : run(Block<kSamples, true, false>());
  return launch.shape.usual ? run(Block<kSamples, false, true>()) : run(Block<kSamples, false, false>());
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
