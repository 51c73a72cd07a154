// The engine with a GPU: the same clips as without one, whatever fails. The fake everywhere; the card's own decoders
// where there is one.
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "emomedia/engine.h"
#include "emomedia/error.h"
#include "emomedia/frames.h"
#include "emomedia/gpu.h"
#include "engine/composite_reader.h"
#include "engine/packed_picture.h"
#include "fake_gpu.h"
#include "footage.h"
#include "real_gpu.h"

using namespace emomedia;
using emomedia::tests::FakeGpu;

namespace {

constexpr int kWidth = 320, kHeight = 160;
constexpr std::int64_t kFrames = 40;

// Two takes, one of them on its side, in two chunks; with a picture of the right side alone.
Job make_job(const tests::TemporaryFolder& folder, const std::string& name) {
  std::filesystem::create_directory(folder / name);
  Job job;
  job.takes = {tests::make_take(folder / "left.mp4"), tests::make_take(folder / "right.mp4")};
  job.takes[1].rotate = 90;
  job.takes[1].crop = {0, 0, job.takes[1].format.height, job.takes[1].format.width};
  job.sound = {PcmSource{folder / "left.pcm", 16}, PcmSource{folder / "right.pcm", 16}};
  job.video.width = kWidth;
  job.video.height = kHeight;
  job.sides = {{1, 96, 64, {0, 0, 100, 100}}};
  const auto chunk = [&](std::int64_t first, std::int64_t count) {
    const std::string stem = folder / (name + "/" + std::to_string(first));
    Chunk c{first, {count}, {}, {stem + ".spool", stem + ".side.spool"}};
    for (std::int64_t n = first; n < first + count; ++n) {
      for (auto& source : c.source) source.push_back(n);
    }
    return c;
  };
  job.chunks = {chunk(5, 20), chunk(25, 20)};
  job.clips = {Clip{{folder / (name + "/a.mp4"), folder / (name + "/a.side.mp4")}, 5, kFrames, 5 * 1920, kFrames * 1920, {0, 1}}};
  return job;
}

void write_session(const tests::TemporaryFolder& folder) {
  tests::write_footage(folder / "left.mp4", {.width = 192, .height = 160});
  tests::write_footage(folder / "right.mp4", {.width = 160, .height = 128, .gop = 33});
  tests::write_pcm(folder / "left.pcm", 60 * 1920);
  tests::write_pcm(folder / "right.pcm", 60 * 1920);
}

Report run(Job job, std::shared_ptr<gpu::Device> device = nullptr, std::array<bool, 2> on_gpu = {true, true}) {
  if (device) {
    job.gpus = {std::move(device)};
    job.gpu_of = {0, 0};
    job.on_gpu = on_gpu;
  }
  job.workers = 2;
  Engine engine(std::move(job));
  engine.start();
  return engine.finish();
}

void check_same(const tests::TemporaryFolder& folder, const std::string& a, const std::string& b) {
  for (const char* clip : {"/a.mp4", "/a.side.mp4"}) {
    CHECK(!tests::bytes_of(folder / (a + clip)).empty());
    CHECK(tests::bytes_of(folder / (a + clip)) == tests::bytes_of(folder / (b + clip)));
  }
}

// Breaks the coded picture data in the middle of a file.
void damage(const std::string& path) {
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (std::streamoff at = size / 2; at < size / 2 + 40; ++at) {
    file.seekp(at);
    file.put('\x5A');
  }
}

}  // namespace

TEST_CASE("with a GPU the clips have the bytes that they have without one") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "cores"));
  for (const auto& [name, on_gpu] : {std::pair{"both", std::array{true, true}},
                                     {"left", std::array{true, false}},
                                     {"none", std::array{false, false}}}) {
    const auto gpu = std::make_shared<FakeGpu>();
    const Report report = run(make_job(folder, name), gpu, on_gpu);
    check_same(folder, "cores", name);
    CHECK(report.left_gpu == std::array<std::string, 2>{});
    const int halves = static_cast<int>(kFrames) * ((on_gpu[0] ? 1 : 0) + (on_gpu[1] ? 2 : 0));
    CHECK(gpu->composed() == halves);
    // What leaves the card is what was composed.
    const std::int64_t half = kWidth / 2 * kHeight * 3 / 2, side = 96 * 64 * 3 / 2;
    CHECK(report.gpus[0].bytes_to_host == kFrames * ((on_gpu[0] ? half : 0) + (on_gpu[1] ? half + side : 0)));
    CHECK(report.gpus[0].bytes_to_device == 0);
    CHECK(gpu->pins() == 0);
    CHECK(gpu->bytes_held() == 0);
  }
}

TEST_CASE("a GPU that fails leaves its work to the cores, and the report says why") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "cores"));
  for (const int halves : {0, 1, 2, 31}) {
    const std::string name = "fails" + std::to_string(halves);
    const Report report = run(make_job(folder, name), std::make_shared<FakeGpu>(halves));
    check_same(folder, "cores", name);
    CHECK(report.left_gpu[0].find("an illegal address") != std::string::npos);
  }
}

namespace {

// With composites drawn where a card's encoder reads them. The fake's memory is the host's, so that x264 can read them too.
Report run_encoding(Job job, const std::shared_ptr<gpu::Device>& device, std::array<bool, 2> on_gpu = {true, true}) {
  job.encoder_gpus = {device};
  return run(std::move(job), device, on_gpu);
}

Job surfaces_job(const tests::TemporaryFolder& folder, const std::string& name) {
  Job job = make_job(folder, name);
  job.video.preset = "ultrafast";
  job.sides.push_back({0, kWidth / 2, kHeight, job.takes[0].crop});  // the composite's half
  for (Chunk& chunk : job.chunks) chunk.spools.push_back(chunk.spools[0] + ".half");
  job.clips[0].paths.push_back(folder / (name + "/a.half.mp4"));
  return job;
}

// The sum of a composite's samples.
void add_up(void*, std::int64_t, std::uint32_t, const std::uint8_t* y, const std::uint8_t* u, const std::uint8_t* v,
            std::int64_t stride_y, std::int64_t stride_u, std::int64_t stride_v, std::int32_t width, std::int32_t height,
            std::int32_t, float* measures) {
  const auto sum = [](const std::uint8_t* plane, std::int64_t stride, int across, int rows) {
    std::int64_t total = 0;
    for (int row = 0; row < rows; ++row) {
      for (int x = 0; x < across; ++x) total += plane[row * stride + x];
    }
    return total;
  };
  measures[0] = static_cast<float>(sum(y, stride_y, width, height) + sum(u, stride_u, width / 2, height / 2) +
                                   sum(v, stride_v, width / 2, height / 2));
}

}  // namespace

TEST_CASE("composites that stay in the GPU's memory have the bytes of those in the host's") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const auto check_half = [&](const std::string& name) {
    check_same(folder, "cores", name);
    CHECK(tests::bytes_of(folder / "cores/a.half.mp4") == tests::bytes_of(folder / (name + "/a.half.mp4")));
  };
  Job seen = surfaces_job(folder, "cores");
  seen.observer = {&add_up, nullptr, 1};
  const Report cores = run(seen);
  const std::int64_t half = kWidth / 2 * kHeight * 3 / 2, side = 96 * 64 * 3 / 2;
  for (const auto& [name, on_gpu] : {std::pair{"left", std::array{true, false}}, {"none", std::array{false, false}}}) {
    const auto gpu = std::make_shared<FakeGpu>();
    const Report report = run_encoding(surfaces_job(folder, name), gpu, on_gpu);
    check_half(name);
    CHECK(report.gpus[0].bytes_to_host == 0);
    CHECK(report.gpus[0].bytes_to_device == kFrames * ((on_gpu[0] ? 0 : 2 * half) + (on_gpu[1] ? 0 : half + side)));
    CHECK(gpu->bytes_held() == 0);
  }
  const auto gpu = std::make_shared<FakeGpu>();
  Job watched = surfaces_job(folder, "watched");
  watched.observer = {&add_up, nullptr, 1};
  const Report report = run_encoding(watched, gpu);
  check_half("watched");
  CHECK(report.measures == cores.measures);
  CHECK(report.gpus[0].bytes_to_host == kFrames * 2 * half);
  CHECK(gpu->pins() == 0);
}

namespace {

// A picture in the fake's memory as NVENC reads ten bits, of which some rows have more room than others.
struct P010 {
  P010(int width, int height) : memory(static_cast<std::size_t>((2 * width + 64) * height + 2 * width * height / 2)) {
    picture.format = {width, height, 10};
    picture.p010 = true;
    picture.data = {memory.data(), memory.data() + (2 * width + 64) * height, memory.data() + (2 * width + 64) * height + 2};
    picture.stride = {2 * width + 64, 2 * width, 2 * width};
  }

  std::vector<std::uint8_t> memory;
  MutablePicture picture;
};

// Both without gaps.
void check_equal(const MutablePicture& a, const MutablePicture& b) {
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    const auto bytes = static_cast<std::size_t>(a.stride[p] * a.format.plane_height(plane));
    CHECK(std::memcmp(a.data[p], b.data[p], bytes) == 0);
  }
}

}  // namespace

TEST_CASE("composites of ten bits that NVENC reads have the samples of those in the host's memory") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const Job job = make_job(folder, "takes");
  Pulse pulse;
  StageClock clock;
  CompositeReader cores(job.takes, kWidth, kHeight, pulse, job.sides);
  PackedPicture whole, side;
  const MutablePicture& expected = whole.shaped({{kWidth, kHeight, 10}});
  cores.render({7, 9}, expected, clock);
  const MutablePicture& expected_side = side.shaped({{96, 64, 10}});
  cores.render_side(0, expected_side, clock);
  for (const auto on_gpu : {std::array{true, true}, std::array{true, false}, std::array{false, false}}) {
    const auto gpu = std::make_shared<FakeGpu>();
    CompositeReader reader(job.takes, kWidth, kHeight, pulse, job.sides, {gpu, on_gpu, true});
    const P010 composite(kWidth, kHeight), alone(96, 64);
    reader.render({7, 9}, composite.picture, clock);
    reader.render_side(0, alone.picture, clock);
    const auto queue = gpu->make_queue();
    PackedPicture seen, seen_side;
    check_equal(expected, seen.copy_out(*queue, composite.picture));
    check_equal(expected_side, seen_side.copy_out(*queue, alone.picture));
    const std::int64_t half = kWidth / 2 * kHeight * 3, small = 96 * 64 * 3;
    CHECK(gpu->usage().bytes_to_device == (on_gpu[0] ? 0 : half) + (on_gpu[1] ? 0 : half + small));
    CHECK(gpu->usage().bytes_to_host == 2 * half + small);
  }
}

TEST_CASE("a GPU that fails while it encodes ends the session with its error, and no clip of two encoders") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  for (const int halves : {0, 1, 30}) {
    const std::string name = "lost" + std::to_string(halves);
    try {
      run_encoding(surfaces_job(folder, name), std::make_shared<FakeGpu>(halves));
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.cause() == Cause::device);
    }
    CHECK_FALSE(std::filesystem::exists(folder / (name + "/a.mp4")));
  }
}

TEST_CASE("a driver that hangs when an encoder is asked for can be left, and does no harm when it wakes") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const auto gpu = std::make_shared<FakeGpu>();
  gpu->hang(true);
  struct Interrupted {};
  const auto interrupt = [] { throw Interrupted{}; };
  {
    Job job = surfaces_job(folder, "hangs");
    job.encoder_gpus = {gpu};
    CHECK_THROWS_AS(Engine(std::move(job), interrupt), Interrupted);
  }
  CHECK_THROWS_AS(try_encoder(surfaces_job(folder, "tried").video, gpu, interrupt), Interrupted);
  gpu->hang(false);
  for (int look = 0; look < 10000 && gpu.use_count() > 1; ++look) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(gpu.use_count() == 1);  // what was left has ended
}

TEST_CASE("memory that a GPU refuses for one picture leaves no other on a frame that is gone") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const auto both_alone = [&](const std::string& name) {
    Job job = make_job(folder, name);
    job.sides.push_back({0, 80, 64, {0, 0, 100, 100}});
    for (Chunk& chunk : job.chunks) chunk.spools.push_back(chunk.spools[0] + ".second");
    job.clips[0].paths.push_back(folder / (name + "/a.second.mp4"));
    return job;
  };
  run(both_alone("cores"));
  for (int number = 0; number < 16; ++number) {
    const auto gpu = std::make_shared<FakeGpu>();
    gpu->refuse_allocation(number);
    const std::string name = "refused" + std::to_string(number);
    run(both_alone(name), gpu);
    check_same(folder, "cores", name);
    CHECK(tests::bytes_of(folder / "cores/a.second.mp4") == tests::bytes_of(folder / (name + "/a.second.mp4")));
  }
}

TEST_CASE("a take that ends in an error leaves nothing queued that writes to its pictures") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  Job job = make_job(folder, "missing");
  std::filesystem::remove(folder / "right.mp4");
  const auto gpu = std::make_shared<FakeGpu>();
  CHECK_THROWS_AS(run(std::move(job), gpu, {true, false}), Error);
  CHECK(gpu->bytes_held() == 0);
}

TEST_CASE("a GPU that cannot be had at all leaves the session to the cores") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "cores"));
  const auto gpu = std::make_shared<FakeGpu>(0);
  CHECK_THROWS_AS(gpu->make_queue()->compose({}), Error);
  const Report report = run(make_job(folder, "gone"), gpu);
  check_same(folder, "cores", "gone");
  CHECK(report.left_gpu[1].find("an illegal address") != std::string::npos);
}

TEST_CASE("streams that a GPU does not take are decoded on the cores, and libav's reason is told") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "cores"));
  const auto gpu = std::make_shared<FakeGpu>();
  if (!gpu->refuse_streams()) {
    MESSAGE("skipped: this FFmpeg has no devices but CUDA's");
    return;
  }
  const Report report = run(make_job(folder, "refused"), gpu);
  check_same(folder, "cores", "refused");
  CHECK(gpu->composed() == 0);
  for (const std::string& why : report.left_gpu) {
    CHECK(why.starts_with("streams that FFmpeg does not have the GPU decode (Invalid setup for format cuda: does not match"));
  }
}

TEST_CASE("workers have the GPUs that the job gives them, or none") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "cores"));
  const auto one = std::make_shared<FakeGpu>(), other = std::make_shared<FakeGpu>();
  Job job = make_job(folder, "two");
  job.gpus = {one, other};
  job.gpu_of = {1};
  job.on_gpu = {true, true};
  job.workers = 1;
  Engine engine(std::move(job));
  engine.start();
  const Report report = engine.finish();
  check_same(folder, "cores", "two");
  CHECK(one->composed() == 0);
  CHECK(other->composed() == 3 * kFrames);
  CHECK(report.gpus.size() == 2);
}

TEST_CASE("damage is decoded on the cores, with the same pictures and the same count of them") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  damage(folder / "left.mp4");
  const Report cores = run(make_job(folder, "cores"));
  REQUIRE(cores.damaged_frames[0][0] > 0);
  const auto gpu = std::make_shared<FakeGpu>();
  const Report report = run(make_job(folder, "gpu"), gpu);
  check_same(folder, "cores", "gpu");
  CHECK(report.damaged_frames == cores.damaged_frames);
  CHECK(report.left_gpu[0] == "damaged frames, which the cores decode");
  CHECK(report.left_gpu[1].empty());
  CHECK(gpu->composed() > 0);
}

TEST_CASE("colours that are converted on the cores have the same bytes") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const auto colored = [&](const std::string& name) {
    Job job = make_job(folder, name);
    ColorMap map;
    for (std::size_t c = 0; c < 3; ++c) map.to_output.factor[c][c] = 7000 + static_cast<int>(c) * 300;
    job.takes[0].color = map;
    return job;
  };
  run(colored("cores"));
  run(colored("gpu"), std::make_shared<FakeGpu>());
  check_same(folder, "cores", "gpu");
}

namespace {

// All frames of a stream, as bytes.
std::vector<std::vector<std::uint8_t>> frames_of(const std::array<Take, 2>& takes, std::shared_ptr<gpu::Device> device,
                                                 std::array<bool, 2> on_gpu) {
  Stretch stretch{3, {}};
  for (std::int64_t n = 3; n < 43; ++n) {
    for (auto& source : stretch.source) source.push_back(n);
  }
  FrameStream stream(takes, {stretch}, {.width = kWidth, .height = kHeight, .ahead = 3, .device = std::move(device), .on_gpu = on_gpu});
  std::vector<std::vector<std::uint8_t>> frames;
  while (const auto frame = stream.next()) {
    frames.emplace_back(frame->samples.get(), frame->samples.get() + kWidth * kHeight * 3 / 2);
  }
  return frames;
}

}  // namespace

TEST_CASE("a stream of frames in a GPU's memory has the pictures of one in the host's") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const Job job = make_job(folder, "takes");
  const auto expected = frames_of(job.takes, nullptr, {});
  REQUIRE(expected.size() == 40);
  for (const auto on_gpu : {std::array{true, true}, std::array{false, true}, std::array{false, false}}) {
    const auto gpu = std::make_shared<FakeGpu>();
    CHECK(frames_of(job.takes, gpu, on_gpu) == expected);
    CHECK(gpu->bytes_held() == 0);
    CHECK(gpu->waits() > 0);  // before a buffer is used again
    CHECK(gpu->usage().bytes_to_host == 0);
  }
}

TEST_CASE("a GPU that fails ends a stream of frames in its memory with its error") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  try {
    frames_of(make_job(folder, "takes").takes, std::make_shared<FakeGpu>(30), {true, true});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::device);
  }
}

TEST_CASE("cuda: the machine's GPU makes the clips that the cores make") {
  const auto gpu = tests::real_gpu();
  if (!gpu) return;
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "cores"));
  const Report report = run(make_job(folder, "gpu"), gpu);
  check_same(folder, "cores", "gpu");
  CHECK(report.left_gpu == std::array<std::string, 2>{});
  const std::int64_t half = kWidth / 2 * kHeight * 3 / 2, side = 96 * 64 * 3 / 2;
  CHECK(report.gpus[0].bytes_to_host == kFrames * (2 * half + side));
}

TEST_CASE("cuda: damage is decoded on the cores") {
  const auto gpu = tests::real_gpu();
  if (!gpu) return;
  const tests::TemporaryFolder folder;
  write_session(folder);
  damage(folder / "left.mp4");
  const Report cores = run(make_job(folder, "cores"));
  const Report report = run(make_job(folder, "gpu"), gpu);
  check_same(folder, "cores", "gpu");  // what libav sees in the headers of this damage it tells with NVDEC too
  CHECK(report.damaged_frames == cores.damaged_frames);
  CHECK(report.left_gpu[0] == "damaged frames, which the cores decode");
}

namespace {

// So many chunks of two frames each, all over takes whose every other frame is a key frame.
Job many_chunks(const tests::TemporaryFolder& folder, const std::string& name, int count) {
  Job job = make_job(folder, name);
  job.sides.clear();
  job.video.preset = "ultrafast";
  job.chunks.clear();
  job.clips.clear();
  for (int n = 0; n < count; ++n) {
    const std::int64_t frame = 2 * (n * 17 % 29);
    job.chunks.push_back({2 * n, {2}, {}, {folder / (name + "/" + std::to_string(n) + ".spool")}});
    job.chunks.back().source = {{{frame, frame + 1}, {frame, frame + 1}}};
  }
  return job;
}

}  // namespace

namespace {

// Says at once how long chunks take, and at what: a step that is stopped leaves what was said.
std::int64_t peak_of(Job job, const std::shared_ptr<gpu::Device>& device) {
  const auto chunks = static_cast<double>(job.chunks.size());
  const Report report = run(std::move(job), device);
  std::cout << chunks << " chunks, " << report.gpus[0].peak_memory << " bytes at the peak; milliseconds a chunk:";
  for (const StageTime& stage : report.stages) std::cout << ' ' << stage.stage << ' ' << 1e3 * stage.seconds / chunks;
  std::cout << ", of two workers in " << report.wall_seconds << " s" << std::endl;
  return report.gpus[0].peak_memory;
}

}  // namespace

TEST_CASE("cuda: as much of the GPU's memory is taken for a thousand chunks as for twenty, and their packets are the cores'") {
  const auto gpu = tests::real_gpu();
  if (!gpu) return;
  const tests::TemporaryFolder folder;
  write_session(folder);
  tests::write_footage(folder / "left.mp4", {.width = 192, .height = 160, .gop = 2});
  tests::write_footage(folder / "right.mp4", {.width = 160, .height = 128, .gop = 2});
  const std::int64_t few = peak_of(many_chunks(folder, "few", 20), gpu);
  const std::int64_t many = peak_of(many_chunks(folder, "many", 1000), gpu);
  CHECK(many <= few + few / 50);
  run(many_chunks(folder, "cores", 1000));
  const auto packets = [&](const std::string& name, int n) {
    return tests::bytes_of(folder / (name + "/" + std::to_string(n) + ".spool"));
  };
  int unequal = 0;
  for (int n = 0; n < 1000; ++n) unequal += packets("many", n) != packets("cores", n) ? 1 : 0;
  CHECK(unequal == 0);
}
