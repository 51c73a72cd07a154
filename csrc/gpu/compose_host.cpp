#include "gpu/compose_host.h"

#include <memory>

#include "gpu/compose_block.h"
#include "gpu/compose_plan.h"

namespace emomedia::gpu {

namespace {

template <typename Version>
void run_block(Version version, const HalfLaunch& launch, int across, int down, int plane) {
  // Anew for each block, so that a sanitizer sees what one reads that it did not write.
  const auto shared = std::make_unique_for_overwrite<FourWords[]>(launch.shape.bytes() / sizeof(FourWords) + 1);
  const Work work = work_of(launch, across, down, plane, reinterpret_cast<std::uint8_t*>(shared.get()));
  for (int thread = 0; thread < kThreads; ++thread) version.load(work, thread, kThreads);
  for (int thread = 0; thread < kThreads; ++thread) version.vertical(work, thread);
  for (int thread = 0; thread < kThreads; ++thread) version.horizontal(work, thread, kThreads);
}

}  // namespace

void compose_on_host(const HalfLaunch& launch) {
  with_block(launch, [&](auto version) {
    for (int plane = 0; plane < 3; ++plane) {
      for (int down = 0; down < launch.plane[plane].tiles_down; ++down) {
        for (int across = 0; across < launch.plane[plane].tiles_across; ++across) {
          run_block(version, launch, across, down, plane);
        }
      }
    }
  });
}

}  // namespace emomedia::gpu
