// The kernels' part of the C interface of benchmarks/native_peers.py. A call that fails returns null, -1 or NaN; bench_error() says why.
#include <cmath>
#include <stdexcept>
#include <string>

#include "guarded.h"
#include "peer.h"

using namespace emomedia;
using namespace emomedia::bench;

std::string& emomedia::bench::last_error() {
  thread_local std::string error;
  return error;
}

namespace {

struct Bench {
  Pool* pool;
  std::unique_ptr<Peer> peer;
  Picture output;
  std::string name;
};

}  // namespace

BENCH_API const char* bench_error() { return last_error().c_str(); }

// `count` pictures of 4:2:0 as coded.
BENCH_API Pool* bench_pool(int width, int height, int depth, int count) {
  return guarded<Pool*>(nullptr, [&] { return new Pool(PictureFormat{width, height, depth}, count); });
}

BENCH_API void bench_pool_fill(Pool* pool, int plane, const std::uint8_t* rows) { pool->fill(plane, rows); }

BENCH_API void bench_pool_close(Pool* pool) { delete pool; }

// Borrows the pool. `kind` is "emomedia" or a name that other_peer() knows; `crop` is x, y, width, height.
BENCH_API Bench* bench_open(Pool* pool, const char* kind, int rotate, const int* crop, int width, int height) {
  return guarded<Bench*>(nullptr, [&] {
    const Task task{pool->format(), rotate, {crop[0], crop[1], crop[2], crop[3]}, width, height};
    const std::string wanted = kind;
    auto peer = wanted == "emomedia" ? emomedia_peer(task) : other_peer(task, wanted);
    const std::string name = peer->name();
    return new Bench{pool, std::move(peer), Picture({width, height}), name};
  });
}

BENCH_API const char* bench_name(const Bench* bench) { return bench->name.c_str(); }

// Composes `frames` pictures of the pool in turn; seconds of this thread on a processor.
BENCH_API double bench_run(Bench* bench, int frames) {
  return guarded<double>(std::nan(""), [&] {
    const double start = cpu_seconds();
    for (int n = 0; n < frames; ++n) bench->peer->compose(bench->pool->next(), bench->output.view());
    return cpu_seconds() - start;
  });
}

// Copies a plane of the last picture made, its rows tight.
BENCH_API void bench_read(Bench* bench, int plane, std::uint8_t* rows) {
  const MutablePicture from = bench->output.view();
  const auto p = static_cast<std::size_t>(plane);
  const int width = from.format.plane_width(plane);
  for (int y = 0; y < from.format.plane_height(plane); ++y) {
    for (int x = 0; x < width; ++x) rows[y * width + x] = from.data[p][y * from.stride[p] + x];
  }
}

BENCH_API void bench_close(Bench* bench) { delete bench; }
