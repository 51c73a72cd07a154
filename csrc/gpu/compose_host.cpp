#include "gpu/compose_host.h"

#include <memory>

#include "gpu/compose_block.h"
#include "gpu/compose_plan.h"

namespace emomedia::gpu {

namespace {

template <typename Version>
void run_block(Version version, const HalfLaunch& launch, const Place& place) {
  // Anew for each thread block, and exactly as much as it may share, so that sanitizers see what lies beyond.
  const auto shared = std::make_unique_for_overwrite<FourWords[]>(launch.shape.bytes() / sizeof(FourWords));
  const Work work = work_of(launch, place, shared.get());
  for (int thread = 0; thread < kThreads; ++thread) version.load(work, thread, kThreads);
  for (int warp = 0; warp < kWarps; ++warp) version.vertical(work, warp, kWarps);
  for (int warp = 0; warp < kWarps; ++warp) version.horizontal(work, warp, kWarps);
}

}  // namespace

void compose_on_host(const HalfLaunch& launch) {
  with_block(launch, [&](auto version) {
    for (int y = 0; y < grid_height(launch); ++y) {
      for (int x = 0; x < grid_width(launch); ++x) {
        const Place place = place_of(launch, x, y);
        if (has_work(launch, place)) run_block(version, launch, place);
      }
    }
  });
}

}  // namespace emomedia::gpu
