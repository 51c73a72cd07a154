// Every version of the kernel against the contract written out plainly, on random and worst-case pixels, with
// padded strides; sources end where memory does, outputs are guarded.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "emomedia/error.h"
#include "geometries.h"
#include "guarded.h"
#include "kernels/compose.h"
#include "kernels/compose_versions.h"

using namespace emomedia;
using namespace emomedia::tests;

namespace {

constexpr std::uint8_t kGuard = 0xA5;

enum class Pixels { random, extremes, top, any };  // any: whatever the bytes can hold

struct Plane {
  int width, height, depth;
  std::ptrdiff_t stride;
  Guarded bytes;

  int sample_bytes() const { return depth > 8 ? 2 : 1; }
  int at(int x, int y) const {
    const std::uint8_t* p = bytes.data() + y * stride + x * sample_bytes();
    return depth > 8 ? static_cast<std::int16_t>(p[0] | p[1] << 8) : p[0];
  }
  void set(int x, int y, int value) {
    std::uint8_t* p = bytes.data() + y * stride + x * sample_bytes();
    p[0] = static_cast<std::uint8_t>(value);
    if (depth > 8) p[1] = static_cast<std::uint8_t>(value >> 8);
  }
};

Guarded::Flush either_end(std::mt19937& random) {
  return random() % 2 == 0 ? Guarded::Flush::front : Guarded::Flush::back;
}

// Rows are padded, all but the last: it ends, or the first begins, where memory does.
Plane make_plane(int width, int height, int depth, Pixels pixels, std::mt19937& random) {
  const int bytes = depth > 8 ? 2 : 1;
  const std::ptrdiff_t padding = static_cast<std::ptrdiff_t>(random() % 40) * 2;
  const std::ptrdiff_t stride = width * bytes + padding;
  const auto size = static_cast<std::size_t>(stride * height - padding);
  Plane plane{width, height, depth, stride, Guarded(size, either_end(random))};
  std::memset(plane.bytes.data(), 0xFF, plane.bytes.size());
  const int top = (1 << depth) - 1;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      int value = top;
      if (pixels == Pixels::random) value = static_cast<int>(random() % static_cast<unsigned>(top + 1));
      if (pixels == Pixels::extremes) value = random() % 2 != 0 ? top : 0;
      if (pixels == Pixels::any) value = static_cast<int>(random() & 0xFFFF);
      plane.set(x, y, value);
    }
  }
  return plane;
}

int upright_sample(const Plane& plane, int rotate, int x, int y) {
  switch (rotate) {
    case 90: return plane.at(y, plane.height - 1 - x);
    case 180: return plane.at(plane.width - 1 - x, plane.height - 1 - y);
    case 270: return plane.at(plane.width - 1 - y, x);
    default: return plane.at(x, y);
  }
}

int upright_sample(const Plane& plane, const HalfGeometry& g, int x, int y) {
  const int width = g.rotate % 180 == 0 ? plane.width : plane.height;
  return upright_sample(plane, g.rotate, g.mirrored ? width - 1 - x : x, y);
}

using Grid = std::vector<std::vector<std::int64_t>>;

// T of the contract, its columns counted from the first that is read.
Grid intermediate(const Plane& plane, const HalfGeometry& g, const PlaneFilter& filter, bool saturates) {
  Grid t;
  for (int j = 0; j < filter.rows.size(); ++j) {
    t.emplace_back();
    for (int x = filter.cols.first_source; x < filter.cols.end_source; ++x) {
      std::int64_t sum = std::int64_t{1} << (plane.depth - 1);
      for (int k = 0; k < filter.rows.taps; ++k) {
        sum += filter.rows.coeff[static_cast<std::size_t>(j * filter.rows.taps + k)] *
               std::int64_t{upright_sample(plane, g, x, filter.rows.start[static_cast<std::size_t>(j)] + k)};
      }
      const std::int64_t value = std::clamp<std::int64_t>(sum >> plane.depth, INT16_MIN, INT16_MAX);
      if (value != sum >> plane.depth && !saturates) FAIL("T leaves int16");
      t.back().push_back(value);
    }
  }
  return t;
}

int expected(const std::vector<std::int64_t>& t, const AxisFilter& cols, int i, int depth) {
  std::int64_t sum = std::int64_t{1} << (27 - depth);
  const auto start = static_cast<std::size_t>(cols.start[static_cast<std::size_t>(i)] - cols.first_source);
  for (std::size_t k = 0; k < static_cast<std::size_t>(cols.taps); ++k) {
    sum += cols.coeff[static_cast<std::size_t>(i * cols.taps) + k] * t[start + k];
  }
  return static_cast<int>(std::clamp<std::int64_t>(sum >> (28 - depth), 0, (1 << depth) - 1));
}

// What a kernel makes of a plane, in memory that it must fill and nothing beside it.
class Output {
 public:
  Output(int width, int height, int depth, std::mt19937& random)
      : width_(width),
        height_(height),
        bytes_(depth > 8 ? 2 : 1),
        padding_(static_cast<std::ptrdiff_t>(random() % 20) * 2),
        stride_(width * bytes_ + padding_),
        memory_(static_cast<std::size_t>(stride_ * height - padding_), either_end(random)) {}

  void make(const PlaneTask& source, const ComposeKernels& kernels) {
    std::memset(memory_.data(), kGuard, memory_.size());
    PlaneTask task = source;
    task.output = memory_.data();
    task.output_stride = stride_;
    ComposeScratch scratch;
    scratch.reserve(task);
    compose_plane(task, kernels, scratch);
  }
  int at(int i, int j) const {
    const std::uint8_t* p = memory_.data() + j * stride_ + i * bytes_;
    return bytes_ == 2 ? p[0] | p[1] << 8 : p[0];
  }
  bool padding_is_untouched() const {
    for (int j = 0; j + 1 < height_; ++j) {
      const std::uint8_t* end = memory_.data() + j * stride_ + width_ * bytes_;
      if (!std::all_of(end, end + padding_, [](std::uint8_t byte) { return byte == kGuard; })) return false;
    }
    return true;
  }

 private:
  int width_, height_, bytes_;
  std::ptrdiff_t padding_, stride_;
  Guarded memory_;
};

void check(const HalfGeometry& g, int number, int out_depth, Pixels pixels, std::mt19937& random) {
  const PlaneFilter filter = compose_filters(g)[static_cast<std::size_t>(number)];
  const int width = g.source.plane_width(number), height = g.source.plane_height(number);
  const PackedFilter packed = pack(filter, {g.rotate, g.mirrored}, width, height);
  const Plane plane = make_plane(width, height, g.source.depth, pixels, random);
  const Grid t = intermediate(plane, g, filter, pixels == Pixels::any);
  PlaneTask task;
  task.source = plane.bytes.data();
  task.source_stride = plane.stride;
  task.depth = g.source.depth;
  task.filter = &packed;
  task.output_depth = out_depth;
  for (const ComposeKernels* kernels : runnable_compose_kernels()) {
    INFO(kernels->name << ", crop " << g.crop.width << "x" << g.crop.height << " to " << g.width << "x" << g.height
                       << ", plane " << number << ", depth " << g.source.depth << " to " << out_depth << ", turned by "
                       << g.rotate << (g.mirrored ? ", mirrored" : ""));
    Output output(filter.cols.size(), filter.rows.size(), out_depth, random);
    output.make(task, *kernels);
    int wrong = 0;
    for (int j = 0; j < filter.rows.size(); ++j) {
      for (int i = 0; i < filter.cols.size(); ++i) {
        wrong += output.at(i, j) != expected(t[static_cast<std::size_t>(j)], filter.cols, i, out_depth) ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
    CHECK(output.padding_is_untouched());
  }
}

HalfGeometry geometry(int width, int height, int depth, const Crop& crop, int out_width, int out_height) {
  HalfGeometry g;
  g.source = {width, height, depth};
  g.crop = crop;
  g.width = out_width;
  g.height = out_height;
  return g;
}

// Any crop of any picture to any size; now and then so much smaller or larger that taps get many or few.
HalfGeometry any_geometry(std::mt19937& random) {
  HalfGeometry g = any_crop(random);
  g.width = 2 * upto(60, random);
  g.height = 2 * upto(25, random);
  return g;
}

}  // namespace

TEST_CASE("compose keeps its contract on any geometry") {
  Seeded s;
  INFO("seed " << s.seed);
  for (int n = 0; n < 500; ++n) {
    const HalfGeometry g = any_geometry(s.random);
    check(g, upto(2, s.random) - 1, one_of({8, 10, 12}, s.random),
          one_of({Pixels::random, Pixels::extremes, Pixels::top, Pixels::any}, s.random), s.random);
  }
}

TEST_CASE("compose keeps its contract where the ratio is 9:4, as from 4K") {
  Seeded s;
  INFO("seed " << s.seed);
  for (const int rotate : {0, 90, 180, 270}) {
    for (const int depth : {8, 10}) {
      for (const Pixels pixels : {Pixels::random, Pixels::extremes}) {
        HalfGeometry g = geometry(2160, 200, depth, {0, 31, 2160, 90}, 960, 40);
        if (rotate % 180 != 0) std::swap(g.source.width, g.source.height);
        g.rotate = rotate;
        check(g, 0, 8, pixels, s.random);
        check(g, 1, 8, pixels, s.random);
      }
    }
  }
}

TEST_CASE("compose keeps its contract at the smallest sizes") {
  Seeded s;
  INFO("seed " << s.seed);
  for (const int rotate : {0, 90, 180, 270}) {
    HalfGeometry g = geometry(47, 47, 8, {46, 46, 1, 1}, 2, 2);
    g.rotate = rotate;
    check(g, 0, 8, Pixels::random, s.random);
    check(g, 1, 8, Pixels::random, s.random);
    g.crop = {3, 7, 40, 1};
    g.source.depth = 12;
    check(g, 0, 12, Pixels::extremes, s.random);
  }
}

TEST_CASE("compose keeps its contract where thousands of samples make one") {
  Seeded s;
  INFO("seed " << s.seed);
  for (const int rotate : {0, 90, 180, 270}) {
    for (const int depth : {8, 12}) {
      for (const bool wide : {true, false}) {
        HalfGeometry g = geometry(wide ? 8192 : 9, wide ? 9 : 8192, depth, {0, 0, wide ? 8192 : 9, wide ? 9 : 8192}, 2, 2);
        if (rotate % 180 != 0) std::swap(g.source.width, g.source.height);
        g.rotate = rotate;
        check(g, 0, 8, Pixels::extremes, s.random);
      }
    }
  }
}

TEST_CASE("compose keeps its contract where a block of outputs just fits the window that it is picked from") {
  Seeded s;
  INFO("seed " << s.seed);
  std::set<int> spans, byte_spans;
  for (int length = 60; length < 115; ++length) {
    const int outputs = length < 70 ? 18 : 32;
    for (const int rotate : {0, 90}) {
      HalfGeometry g = geometry(length, 8, 8, {0, 0, length, 8}, outputs, 4);
      if (rotate != 0) g = geometry(length, 8, 8, {0, 0, 8, length}, 4, outputs);
      g.rotate = rotate;
      const PackedFilter packed = pack(compose_filters(g)[0], {rotate, false}, length, 8);
      spans.insert(packed.cols.blocks.span);
      byte_spans.insert(packed.cols.byte_blocks.span);
      check(g, 0, 8, Pixels::random, s.random);
    }
  }
  for (const int more : {0, 1, 2}) {
    CHECK(spans.contains(kWindowPairs + more));
    CHECK(byte_spans.contains(kWindowBytes + more));
  }
}

TEST_CASE("equal tables are kept once: 9:4 has one for its middle and those of its edges") {
  const PlaneFilter filter = compose_filters(geometry(2160, 3840, 8, {0, 705, 2160, 2430}, 960, 1080))[0];
  const PackedFilter packed = pack(filter, {}, 2160, 3840);
  CHECK(packed.bands.size() == 270);
  CHECK(packed.bands.tables.size() == 3);
  CHECK(packed.cols.blocks.size() == 60);
  CHECK(packed.cols.blocks.tables.size() == static_cast<std::size_t>(3 * 2 * packed.cols.blocks.pairs * kBlockCols));
}

TEST_CASE("each instruction set has functions of its own, and is found by its name") {
  std::set<const void*> functions;
  for (const ComposeKernels* kernels : runnable_compose_kernels()) {
    const auto insert = [&](auto function) { CHECK(functions.insert(reinterpret_cast<const void*>(function)).second); };
    for (const auto f : kernels->samples_down) insert(f);
    for (const auto f : kernels->t_down) insert(f);
    for (const auto f : kernels->samples_along) insert(f);
    for (const auto f : kernels->t_along) insert(f);
    for (const auto f : kernels->transpose) insert(f);
    CHECK(&compose_kernels(kernels->name) == kernels);
  }
  CHECK(runnable_compose_kernels().front() == &kScalarKernels);
  CHECK(&compose_kernels("") == runnable_compose_kernels().back());
  CHECK_THROWS_AS(compose_kernels("sse9"), Error);
}

#ifdef EMOMEDIA_X86
TEST_CASE("a processor that runs a wide instruction set is given it") {
  if (__builtin_cpu_supports("avx2") != 0) CHECK(&compose_kernels("avx2") == &kAvx2Kernels);
  if (__builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("avx512vnni") != 0) CHECK(&compose_kernels("avx512") == &kAvx512Kernels);
}
#endif
