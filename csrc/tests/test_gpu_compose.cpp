// The GPU's kernel, run by the host, against the kernels that are held to the contract: any geometry, samples laid
// out as decoders on cores and on GPUs give them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "emomedia/error.h"
#include "geometries.h"
#include "gpu/compose_host.h"
#include "gpu/compose_plan.h"
#include "guarded.h"
#include "kernels/compose.h"
#include "kernels/compose_versions.h"
#include "real_gpu.h"

using namespace emomedia;
using namespace emomedia::tests;

namespace {

constexpr std::uint8_t kGuard = 0xA5;

Guarded::Flush either_end(std::mt19937& random) { return coin(random) ? Guarded::Flush::front : Guarded::Flush::back; }

enum class Layout { planar, semi_planar };  // the latter as NV12, or as P010: samples in the upper bits
enum class Pixels { random, extremes, any };  // any: whatever the bytes can hold

int sample(Pixels pixels, int depth, std::mt19937& random) {
  const int top = (1 << depth) - 1;
  if (pixels == Pixels::any) return static_cast<int>(random() & (depth > 8 ? 0xFFFF : 0xFF));
  return pixels == Pixels::random ? static_cast<int>(random() % static_cast<unsigned>(top + 1)) : (coin(random) ? top : 0);
}

// A picture's planes of int16 as the kernels for cores take them, and the same samples laid out otherwise.
class Source {
 public:
  Source(const PictureFormat& format, Layout layout, Pixels pixels, std::mt19937& random) : format_(format) {
    const bool joined = layout == Layout::semi_planar;
    const int bytes = format.sample_bytes();
    picture_.format = format;
    picture_.shift = joined && bytes == 2 ? 16 - format.depth : 0;
    if (picture_.shift > 0 && pixels == Pixels::any) pixels = Pixels::random;
    for (int plane = 0; plane < 3; ++plane) {
      const int width = format.plane_width(plane), height = format.plane_height(plane);
      const int step = bytes * (joined && plane > 0 ? 2 : 1);
      const std::ptrdiff_t padding = coin(random) ? static_cast<std::ptrdiff_t>(random() % 40) * 2 : -std::ptrdiff_t{width} * step & 15;
      const std::ptrdiff_t stride = width * step + padding;
      if (!(joined && plane == 2)) memory_.emplace_back(static_cast<std::size_t>(stride * height - padding), either_end(random));
      const std::ptrdiff_t offset = joined && plane == 2 ? bytes : 0;
      std::uint8_t* data = memory_.back().data() + offset;
      picture_.plane[static_cast<std::size_t>(plane)] = {data, joined && plane == 2 ? picture_.plane[1].stride : stride, step};
      planes_[plane].resize(static_cast<std::size_t>(width * height * bytes));
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) put(plane, x, y, sample(pixels, format.depth, random));
      }
    }
  }

  const gpu::SourcePicture& picture() const { return picture_; }
  // The same in a device's memory, which `owners` keeps.
  gpu::SourcePicture picture_on(gpu::Device& device, std::vector<gpu::Memory>& owners) const {
    gpu::SourcePicture there = picture_;
    for (std::size_t p = 0; p < 3; ++p) {
      const Guarded& memory = memory_[std::min(p, memory_.size() - 1)];
      owners.push_back(device.upload(memory.data(), memory.size()));
      there.plane[p].data = owners.back().get() + (picture_.plane[p].data - memory.data());
    }
    return there;
  }
  PlaneTask task(int plane) const {
    PlaneTask task;
    task.source = planes_[plane].data();
    task.source_stride = format_.plane_width(plane) * format_.sample_bytes();
    task.depth = format_.depth;
    return task;
  }

 private:
  void put(int plane, int x, int y, int value) {
    const gpu::SourcePlane& p = picture_.plane[static_cast<std::size_t>(plane)];
    std::uint8_t* there = const_cast<std::uint8_t*>(p.data) + y * p.stride + x * p.step;
    std::uint8_t* plain = planes_[plane].data() + (y * format_.plane_width(plane) + x) * format_.sample_bytes();
    const int shifted = value << picture_.shift;
    for (int n = 0; n < format_.sample_bytes(); ++n) {
      there[n] = static_cast<std::uint8_t>(shifted >> (8 * n));
      plain[n] = static_cast<std::uint8_t>(value >> (8 * n));
    }
  }

  PictureFormat format_;
  std::vector<Guarded> memory_;
  std::vector<std::uint8_t> planes_[3];
  gpu::SourcePicture picture_;
};

// A picture of the plan's size in memory that must be filled, with nothing beside it.
struct Output {
  Output(const std::array<PlaneFilter, 3>& filters, int depth, std::mt19937& random) {
    const int bytes = depth > 8 ? 2 : 1;
    for (std::size_t p = 0; p < 3; ++p) {
      width[p] = filters[p].cols.size() * bytes;
      height[p] = filters[p].rows.size();
      picture.stride[p] = width[p] + static_cast<std::ptrdiff_t>(random() % 20) * 2;
      memory.emplace_back(static_cast<std::size_t>(picture.stride[p] * height[p]), either_end(random));
      std::memset(memory[p].data(), kGuard, memory[p].size());
      picture.data[p] = memory[p].data();
    }
  }

  bool padding_is_untouched() const {
    for (std::size_t p = 0; p < 3; ++p) {
      for (int y = 0; y < height[p]; ++y) {
        const std::uint8_t* row = memory[p].data() + y * picture.stride[p];
        if (!std::all_of(row + width[p], row + picture.stride[p], [](std::uint8_t byte) { return byte == kGuard; })) return false;
      }
    }
    return true;
  }

  int width[3], height[3];  // bytes, rows
  std::vector<Guarded> memory;
  MutablePicture picture;
};

int wrong_rows(const Output& made, const Output& expected, std::size_t p) {
  int wrong = 0;
  for (int y = 0; y < made.height[p]; ++y) {
    wrong += std::memcmp(made.picture.data[p] + y * made.picture.stride[p], expected.picture.data[p] + y * expected.picture.stride[p],
                         static_cast<std::size_t>(made.width[p])) != 0 ? 1 : 0;
  }
  return wrong;
}

// Tiles as the product has them, and those that it takes where less of the source fits.
gpu::TileLimit any_limit(std::mt19937& random) {
  return coin(random) ? gpu::TileLimit{} : one_of<gpu::TileLimit>({{64, 64}, {32, 32}, {16, 16}, {8, 4}, {4, 2}}, random);
}

void check(const HalfGeometry& g, Layout layout, int out_depth, Pixels pixels, const gpu::TileLimit& limit, std::mt19937& random) {
  INFO("crop " << g.crop.width << "x" << g.crop.height << " to " << g.width << "x" << g.height << ", depth "
               << g.source.depth << " to " << out_depth << ", turned by " << g.rotate
               << (g.mirrored ? ", mirrored" : "") << (layout == Layout::planar ? ", planar" : ", semi-planar")
               << ", tiles of " << limit.cols << "x" << limit.rows);
  const gpu::ComposePlan plan(g, out_depth, limit);
  const Source source(g.source, layout, pixels, random);
  Output made(compose_filters(g), out_depth, random), expected(compose_filters(g), out_depth, random);
  gpu::compose_on_host(plan.launch(source.picture(), made.picture, plan.tables().data()));
  const std::array<PackedFilter, 3> filters = packed_filters(g);
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    PlaneTask task = source.task(plane);
    task.filter = &filters[p];
    task.output = expected.picture.data[p];
    task.output_stride = expected.picture.stride[p];
    task.output_depth = out_depth;
    ComposeScratch scratch;
    scratch.reserve(task);
    compose_plane(task, kScalarKernels, scratch);
    INFO("plane " << plane);
    CHECK(wrong_rows(made, expected, p) == 0);
  }
  CHECK(made.padding_is_untouched());
}

// At most eight times as small, which for chroma of 4:4:4 may be sixteen times: a block of the GPU holds little more.
HalfGeometry any_geometry(std::mt19937& random) {
  HalfGeometry g = any_crop(random);
  g.width = 2 * (g.crop.width / 16 + upto(60, random));
  g.height = 2 * (g.crop.height / 16 + upto(25, random));
  return g;
}

}  // namespace

TEST_CASE("the GPU's kernel gives the bits of the others on any geometry") {
  Seeded s;
  INFO("seed " << s.seed);
  for (int n = 0; n < 300; ++n) {
    check(any_geometry(s.random), one_of({Layout::planar, Layout::semi_planar}, s.random), one_of({8, 10, 12}, s.random),
          one_of({Pixels::random, Pixels::extremes, Pixels::any}, s.random), any_limit(s.random), s.random);
  }
}

TEST_CASE("the GPU's kernel gives the bits of the others where the ratio is 9:4, as from 4K") {
  Seeded s;
  INFO("seed " << s.seed);
  for (const int rotate : {0, 90, 180, 270}) {
    for (const bool mirrored : {false, true}) {
      for (const int depth : {8, 10}) {
        HalfGeometry g;
        g.source = {2160, 320, depth};
        if (rotate % 180 != 0) std::swap(g.source.width, g.source.height);
        g.rotate = rotate;
        g.mirrored = mirrored;
        g.crop = {0, 35, 2160, 270};
        g.width = 960;
        g.height = 120;
        check(g, Layout::semi_planar, 8, Pixels::extremes, {}, s.random);
      }
    }
  }
}

TEST_CASE("ten bits for NVENC are the planes' samples, in the upper bits and with the chroma in one plane") {
  Seeded s;
  INFO("seed " << s.seed);
  for (int n = 0; n < 60; ++n) {
    const HalfGeometry g = any_geometry(s.random);
    const gpu::ComposePlan plan(g, 10);
    const Source source(g.source, Layout::semi_planar, Pixels::random, s.random);
    const std::array<PlaneFilter, 3> filters = compose_filters(g);
    Output planar(filters, 10, s.random), packed(filters, 10, s.random);
    Guarded chroma(static_cast<std::size_t>(2 * packed.width[1] * packed.height[1]), either_end(s.random));
    packed.picture.p010 = true;
    for (std::size_t p = 1; p < 3; ++p) {
      packed.picture.data[p] = chroma.data() + 2 * (p - 1);
      packed.picture.stride[p] = 2 * packed.width[1];
    }
    for (const Output* output : {&planar, &packed}) {
      gpu::compose_on_host(plan.launch(source.picture(), output->picture, plan.tables().data()));
    }
    int wrong = 0;
    for (std::size_t p = 0; p < 3; ++p) {
      const auto sample = [p](const Output& output, int x, int y, int step) {
        std::uint16_t value = 0;
        std::memcpy(&value, output.picture.data[p] + y * output.picture.stride[p] + x * step, sizeof value);
        return static_cast<int>(value);
      };
      for (int y = 0; y < planar.height[p]; ++y) {
        for (int x = 0; x < planar.width[p] / 2; ++x) {
          wrong += sample(packed, x, y, p == 0 ? 2 : 4) != sample(planar, x, y, 2) << 6 ? 1 : 0;
        }
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("cuda: the machine's GPU gives the bits of the host on any geometry") {
  const auto device = real_gpu();
  if (!device) return;
  const auto queue = device->make_queue();
  Seeded s;
  INFO("seed " << s.seed);
  for (int n = 0; n < 300; ++n) {
    HalfGeometry g = any_geometry(s.random);
    if (n % 2 == 0) {  // of few steps
      g.width = 2 * (g.crop.width * 2 / 9 + 1);
      g.height = 2 * (g.crop.height * 2 / 9 + 1);
    }
    const int depth = one_of({8, 10, 12}, s.random);
    const gpu::TileLimit limit = any_limit(s.random);
    const gpu::ComposePlan plan(g, depth, limit);
    const Source source(g.source, one_of({Layout::planar, Layout::semi_planar}, s.random),
                        one_of({Pixels::random, Pixels::extremes, Pixels::any}, s.random), s.random);
    Output made(compose_filters(g), depth, s.random), expected(compose_filters(g), depth, s.random);
    gpu::compose_on_host(plan.launch(source.picture(), expected.picture, plan.tables().data()));
    std::vector<gpu::Memory> owners{device->upload(plan.tables().data(), plan.tables().size())};
    MutablePicture there = made.picture;
    for (std::size_t p = 0; p < 3; ++p) {
      owners.push_back(device->allocate(made.memory[p].size()));
      there.data[p] = owners.back().get();
    }
    queue->compose(plan.launch(source.picture_on(*device, owners), there, owners[0].get()));
    for (std::size_t p = 0; p < 3; ++p) {
      queue->copy_out({there.data[p], there.stride[p]}, {made.picture.data[p], made.picture.stride[p]},
                      static_cast<std::size_t>(made.width[p]), static_cast<std::size_t>(made.height[p]));
    }
    queue->wait();
    INFO("crop " << g.crop.width << "x" << g.crop.height << " to " << g.width << "x" << g.height << ", depth "
                 << g.source.depth << " to " << depth << ", turned by " << g.rotate << (g.mirrored ? ", mirrored" : "")
                 << ", tiles of " << limit.cols << "x" << limit.rows);
    for (std::size_t p = 0; p < 3; ++p) {
      INFO("plane " << p);
      CHECK(wrong_rows(made, expected, p) == 0);
    }
  }
}

TEST_CASE("what no block of the GPU holds is refused") {
  HalfGeometry g;
  g.source = {8192, 8192, 8};
  g.crop = {0, 0, 8192, 8192};
  g.width = g.height = 32;
  CHECK_THROWS_AS(gpu::ComposePlan(g, 8), Error);
}
