// Composes pictures for an instruction counter: `emomedia_count DEPTH ROTATE FRAMES` prints the kernels' name.
// The pictures are 1080 x 1920 and upright, or lie on their side; the ratio is a 4K take's.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "peer.h"

using namespace emomedia;
using namespace emomedia::bench;

namespace {

// Values that leave no branch of a kernel untaken: noise over the whole range.
void fill(Pool& pool) {
  const PictureFormat& format = pool.format();
  unsigned state = 1;
  for (int plane = 0; plane < 3; ++plane) {
    const int samples = format.plane_width(plane) * format.plane_height(plane);
    std::vector<std::uint8_t> rows(static_cast<std::size_t>(samples * format.sample_bytes()));
    for (int n = 0; n < samples; ++n) {
      state = state * 1664525U + 1013904223U;
      const unsigned value = state >> (32 - format.depth);
      const auto at = static_cast<std::size_t>(n * format.sample_bytes());
      rows[at] = static_cast<std::uint8_t>(value);
      if (format.sample_bytes() == 2) rows[at + 1] = static_cast<std::uint8_t>(value >> 8);
    }
    pool.fill(plane, rows.data());
  }
}

void run(int depth, int rotate, int frames) {
  const bool upright = rotate % 180 == 0;
  Pool pool({upright ? 1080 : 1920, upright ? 1920 : 1080, depth}, 1);
  fill(pool);
  const Task task{pool.format(), rotate, {0, 352, 1080, 1216}, 480, 540};
  const auto peer = emomedia_peer(task);
  Picture output({task.width, task.height});
  for (int n = 0; n < frames; ++n) peer->compose(pool.next(), output.view());
  std::puts(peer->name().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    run(std::atoi(argv[1]), std::atoi(argv[2]), std::atoi(argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
