#include "gpu/compose_host.h"

#include <memory>
#include <new>

#include "gpu/compose_block.h"
#include "gpu/compose_plan.h"

namespace emomedia::gpu {

void compose_on_host(const HalfLaunch& launch) {
  // Anew for each block, so that a sanitizer sees what a block reads that it did not write.
  for (int block = 0; block < launch.blocks(); ++block) {
    const auto shared = std::make_unique_for_overwrite<FourWords[]>(launch.shape.bytes() / sizeof(FourWords) + 1);
    const Work work = work_of(launch, block, reinterpret_cast<std::uint8_t*>(shared.get()));
    for (int thread = 0; thread < kThreads; ++thread) load(work, thread, kThreads);
    for (int thread = 0; thread < kThreads; ++thread) vertical_of(work, thread, kThreads);
    for (int thread = 0; thread < kThreads; ++thread) horizontal_of(work, thread, kThreads);
  }
}

}  // namespace emomedia::gpu
