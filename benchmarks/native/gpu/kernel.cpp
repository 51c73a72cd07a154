#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include "gpu/compose_cuda.h"
#include "gpu/compose_host.h"
#include "gpu/compose_plan.h"
#include "gpu_bench.h"

namespace emomedia::bench {
namespace {

constexpr int kPool = 24;  // takes' frames, more than the last-level cache of any card holds
constexpr int kHalves = 480, kRounds = 5, kStreams = 8;

void require(cudaError_t code) {
  if (code != cudaSuccess) throw std::runtime_error(cudaGetErrorString(code));
}

// Frames of NV12 or P010 in memory of the card, and of the host.
struct Frames {
  PictureFormat format;
  std::ptrdiff_t stride;
  std::size_t bytes;
  std::vector<std::uint8_t> host;
  std::uint8_t* device = nullptr;

  explicit Frames(const PictureFormat& f) : format(f), stride((f.width * f.sample_bytes() + 511) / 512 * 512) {
    bytes = static_cast<std::size_t>(stride * f.height * 3 / 2);
    host.resize(bytes);
    std::mt19937 random(1);
    for (std::size_t n = 0; n < bytes; ++n) {
      const auto value = static_cast<std::uint8_t>(random());
      host[n] = f.depth > 8 && n % 2 == 0 ? value & 0xC0 : value;
    }
    require(cudaMalloc(reinterpret_cast<void**>(&device), bytes * kPool));
    for (int n = 0; n < kPool; ++n) require(cudaMemcpy(device + bytes * n, host.data(), bytes, cudaMemcpyHostToDevice));
  }
  ~Frames() { cudaFree(device); }

  gpu::SourcePicture picture(const std::uint8_t* first) const {
    const int sample = format.sample_bytes();
    gpu::SourcePicture picture{format, format.depth > 8 ? 16 - format.depth : 0, {}};
    picture.plane[0] = {first, stride, sample};
    picture.plane[1] = {first + stride * format.height, stride, 2 * sample};
    picture.plane[2] = {first + stride * format.height + sample, stride, 2 * sample};
    return picture;
  }
};

MutablePicture half_at(std::uint8_t* first) {
  return {{960, 1080}, {first, first + 1024 * 1080, first + 1024 * 1080 + 512 * 540}, {1024, 512, 512}};
}
constexpr std::size_t kHalfBytes = 1024 * 1080 * 3 / 2;

// A take's frames, and its half as the host composes it.
struct Source {
  HalfGeometry geometry;
  Frames frames;
  std::vector<std::uint8_t> expected = std::vector<std::uint8_t>(kHalfBytes);

  explicit Source(const HalfGeometry& g) : geometry(g), frames(g.source) {
    const gpu::ComposePlan plan(geometry, 8);
    gpu::compose_on_host(plan.launch(frames.picture(frames.host.data()), half_at(expected.data()), plan.tables().data()));
  }
};

HalfGeometry geometry_of(int rotate, int depth) {
  HalfGeometry geometry;
  const bool swapped = rotate % 180 != 0;
  geometry.source = {swapped ? 3840 : 2160, swapped ? 2160 : 3840, depth};
  geometry.rotate = rotate;
  geometry.crop = {0, 705, 2160, 2430};
  return geometry;
}

void check(Source& source, const std::uint8_t* made_there) {
  std::vector<std::uint8_t> made(kHalfBytes);
  require(cudaMemcpy(made.data(), made_there, kHalfBytes, cudaMemcpyDeviceToHost));
  for (int plane = 0; plane < 3; ++plane) {
    const MutablePicture a = half_at(made.data()), b = half_at(source.expected.data());
    const auto p = static_cast<std::size_t>(plane);
    for (int y = 0; y < a.format.plane_height(plane); ++y) {
      if (std::memcmp(a.data[p] + y * a.stride[p], b.data[p] + y * b.stride[p], static_cast<std::size_t>(a.format.plane_width(plane))) != 0) {
        throw std::runtime_error("the card composes other bits than the host");
      }
    }
  }
}

// The product's kernel, or a variant of it; nothing where no block holds tiles of the limit.
void measure(Source& source, const gpu::TileLimit& limit = {}, const Variant& variant = {0, 0, gpu::compose_on_stream}) {
  const HalfGeometry& geometry = source.geometry;
  const Frames& frames = source.frames;
  const gpu::ComposePlan plan(geometry, 8, limit);
  const gpu::TileShape shape = plan.launch(frames.picture(frames.device), half_at(frames.device), nullptr).shape;
  if (variant.blocks > 0 && (shape.cols != limit.cols || shape.rows != limit.rows)) return;
  std::uint8_t *tables = nullptr, *out = nullptr;
  require(cudaMalloc(reinterpret_cast<void**>(&tables), plan.tables().size()));
  require(cudaMemcpy(tables, plan.tables().data(), plan.tables().size(), cudaMemcpyHostToDevice));
  require(cudaMalloc(reinterpret_cast<void**>(&out), kHalfBytes * kPool));
  require(gpu::prepare_to_compose());
  cudaStream_t streams[kStreams], stream;
  cudaEvent_t begin, end, joined;
  require(cudaStreamCreate(&stream));
  for (cudaStream_t& each : streams) require(cudaStreamCreateWithFlags(&each, cudaStreamNonBlocking));
  require(cudaEventCreate(&begin));
  require(cudaEventCreate(&end));
  require(cudaEventCreateWithFlags(&joined, cudaEventDisableTiming));
  const auto compose = [&](int n) {
    const int place = n % kPool;
    require(variant.compose(
        plan.launch(frames.picture(frames.device + frames.bytes * place), half_at(out + kHalfBytes * place), tables), streams[n % kStreams]));
  };
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    // As many streams as takes are decoded at a time: what one leaves of the card, others use.
    require(cudaEventRecord(begin, stream));
    for (cudaStream_t each : streams) require(cudaStreamWaitEvent(each, begin));
    for (int n = 0; n < kHalves; ++n) compose(n);
    for (cudaStream_t each : streams) {
      require(cudaEventRecord(joined, each));
      require(cudaStreamWaitEvent(stream, joined));
    }
    require(cudaEventRecord(end, stream));
    require(cudaEventSynchronize(end));
    float ms = 0;
    require(cudaEventElapsedTime(&ms, begin, end));
    times.push_back(ms * 1e3 / kHalves);
  }
  check(source, out);
  std::sort(times.begin(), times.end());
  std::printf("{\"what\": \"kernel\", \"rotate\": %d, \"depth\": %d, \"cols\": %d, \"rows\": %d, \"blocks\": %d, \"carveout\": %d, "
              "\"us\": %.2f, \"least_us\": %.2f}\n",
              geometry.rotate, geometry.source.depth, shape.cols, shape.rows, variant.blocks, variant.carveout, times[times.size() / 2], times[0]);
  cudaFree(tables);
  cudaFree(out);
  for (cudaStream_t each : streams) cudaStreamDestroy(each);
  cudaStreamDestroy(stream);
  for (cudaEvent_t each : {begin, end, joined}) cudaEventDestroy(each);
}

}  // namespace

void measure_kernel() {
  constexpr std::array kTiles{gpu::TileLimit{32, 32}, gpu::TileLimit{32, 64}, gpu::TileLimit{64, 32}, gpu::TileLimit{64, 64},
                              gpu::TileLimit{128, 32}};
  for (const int depth : {8, 10}) {
    for (const int rotate : {0, 90, 180, 270}) {
      Source source(geometry_of(rotate, depth));
      measure(source);
      if (rotate > 90) continue;
      for (const gpu::TileLimit limit : kTiles) {
        for (const Variant& variant : kernel_variants()) measure(source, limit, variant);
      }
    }
  }
}

}  // namespace emomedia::bench
