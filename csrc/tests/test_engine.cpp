#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "av/frame_reader.h"
#include "emomedia/composites.h"
#include "emomedia/engine.h"
#include "emomedia/error.h"
#include "emomedia/media.h"
#include "footage.h"

using namespace emomedia;

namespace {

constexpr int kWidth = 256, kHeight = 128;

// Two takes, the right one eight frames behind; frames 5..44 in three spans and two chunks; a clip
// over all of it and one across the chunks' edge.
Job make_job(const tests::TemporaryFolder& folder, const std::string& name, int workers,
             std::vector<SidePicture> sides = {}) {
  std::filesystem::create_directory(folder / name);
  Job job;
  job.takes = {tests::make_take(folder / "left.mp4"), tests::make_take(folder / "right.mp4")};
  job.sound = {PcmSource{folder / "left.pcm", 16}, PcmSource{folder / "right.pcm", 16}};
  job.video.width = kWidth;
  job.video.height = kHeight;
  job.video.gop = 10;
  job.sides = std::move(sides);
  job.workers = workers;
  const auto by_picture = [&](const std::string& stem, const std::string& suffix) {
    std::vector<std::string> paths{folder / (name + "/" + stem + suffix)};
    for (std::size_t i = 0; i < job.sides.size(); ++i) {
      paths.push_back(folder / (name + "/" + stem + "." + std::to_string(i) + suffix));
    }
    return paths;
  };
  const auto chunk = [&](std::int64_t first, std::vector<std::int64_t> spans) {
    Chunk c{first, std::move(spans), {}, by_picture(std::to_string(first), ".spool")};
    for (const auto length : c.spans) {
      for (std::int64_t n = 0; n < length; ++n) {
        const auto frame = first + static_cast<std::int64_t>(c.source[0].size());
        c.source[0].push_back(frame);
        c.source[1].push_back(frame + 8);
      }
    }
    return c;
  };
  job.chunks = {chunk(5, {12, 8}), chunk(25, {20})};
  job.clips = {Clip{by_picture("all", ".mp4"), 5, 40, 5 * 1920, 40 * 1920, {0, 1}},
               Clip{by_picture("part", ".mp4"), 17, 28, 17 * 1920, 28 * 1920, {0, 1}}};
  return job;
}

void write_session(const tests::TemporaryFolder& folder) {
  tests::write_footage(folder / "left.mp4", {});
  tests::write_footage(folder / "right.mp4", {.width = 96, .height = 80, .gop = 33});
  tests::write_pcm(folder / "left.pcm", 60 * 1920);
  tests::write_pcm(folder / "right.pcm", 10 * 1920);  // ends early
}

Report run(Job job) {
  Engine engine(std::move(job));
  engine.start();
  return engine.finish();
}

void check_clip(const std::string& path, int first, int count) {
  const Take clip = tests::make_take(path);
  REQUIRE(static_cast<int>(clip.files[0].pts.size()) == count);
  Pulse pulse;
  av::FrameReader reader(clip.files[0], FieldOrder::progressive, pulse);
  for (int n = 0; n < count; ++n) {
    const AVFrame& frame = *reader.at(n).frame;
    PictureView view{{frame.width, frame.height}};
    view.data[0] = frame.data[0];
    view.stride[0] = frame.linesize[0];
    CHECK(tests::read_index(view, 0, kWidth / 2) == first + n);
    CHECK(tests::read_index(view, kWidth / 2, kWidth / 2) == first + n + 8);
  }
}

// A composite of kWidth x kHeight, 8 bits, in `samples`.
MutablePicture picture_in(std::vector<std::uint8_t>& samples) {
  samples.resize(kWidth * kHeight * 3 / 2);
  MutablePicture picture{{kWidth, kHeight}};
  picture.data = {samples.data(), samples.data() + kWidth * kHeight, samples.data() + kWidth * kHeight * 5 / 4};
  picture.stride = {kWidth, kWidth / 2, kWidth / 2};
  return picture;
}

// Every frame of a file, and which of them are key frames.
struct Decoded {
  std::vector<std::uint8_t> key;
  std::vector<std::vector<std::uint8_t>> frames;  // Y, U, V without padding
};

// Columns x .. x + width - 1 of a picture's luma, and the chroma that belongs to them.
std::vector<std::uint8_t> samples_of(const AVFrame& frame, int x, int width) {
  std::vector<std::uint8_t> samples;
  for (int plane = 0; plane < 3; ++plane) {
    const int sub = plane == 0 ? 1 : 2;
    for (int y = 0; y < frame.height / sub; ++y) {
      const std::uint8_t* row = frame.data[plane] + y * frame.linesize[plane] + x / sub;
      samples.insert(samples.end(), row, row + width / sub);
    }
  }
  return samples;
}

Decoded decode(const std::string& path, int x, int width) {
  const Take clip = tests::make_take(path);
  Decoded decoded{clip.files[0].key, {}};
  Pulse pulse;
  av::FrameReader reader(clip.files[0], FieldOrder::progressive, pulse);
  for (std::size_t n = 0; n < decoded.key.size(); ++n) {
    decoded.frames.push_back(samples_of(*reader.at(static_cast<std::int64_t>(n)).frame, x, width));
  }
  return decoded;
}

// Both sides as the composite's halves, and the right one once more, of another size and crop.
std::vector<SidePicture> three_sides() {
  return {{0, kWidth / 2, kHeight, {0, 0, 128, 96}},
          {1, kWidth / 2, kHeight, {0, 0, 96, 80}},
          {1, 80, 34, {3, 7, 60, 51}}};
}

// Measures a composite's number, its left half's index and whether it is damaged; counts its calls.
void look(void* context, std::int64_t frame, std::uint32_t damaged, const std::uint8_t* y, const std::uint8_t*,
          const std::uint8_t*, std::int64_t y_stride, std::int64_t, std::int64_t, std::int32_t width,
          std::int32_t height, std::int32_t depth, float* measures) {
  ++*static_cast<std::atomic<int>*>(context);
  const PictureView view{{width, height, depth}, {y}, {static_cast<std::ptrdiff_t>(y_stride)}};
  measures[0] = static_cast<float>(frame);
  measures[1] = static_cast<float>(tests::read_index(view, 0, width / 2));
  measures[2] = static_cast<float>(damaged);
}

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

}  // namespace

TEST_CASE("clips show the frames that the job names, whatever the number of workers") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const Report one = run(make_job(folder, "one", 1));
  CHECK(one.composed_frames == 40);
  CHECK(one.damaged_frames[0] == std::array<std::int64_t, 2>{0, 0});
  check_clip(folder / "one/all.mp4", 5, 40);
  check_clip(folder / "one/part.mp4", 17, 28);
  run(make_job(folder, "three", 3));
  CHECK(tests::bytes_of(folder / "one/all.mp4") == tests::bytes_of(folder / "three/all.mp4"));
  CHECK(tests::bytes_of(folder / "one/part.mp4") == tests::bytes_of(folder / "three/part.mp4"));
}

TEST_CASE("a job goes on from whole spools and makes the same bytes") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "a", 1));
  run(make_job(folder, "b", 1));
  std::filesystem::remove(folder / "b/all.mp4");
  std::filesystem::remove(folder / "b/5.spool");
  const Report again = run(make_job(folder, "b", 2));
  CHECK(again.resumed_frames == 20);
  CHECK(again.composed_frames == 20);
  CHECK(tests::bytes_of(folder / "a/all.mp4") == tests::bytes_of(folder / "b/all.mp4"));
}

TEST_CASE("a side alone is its half of the composite or composed for itself, with IDR pictures at the same frames") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  Job job = make_job(folder, "sides", 1, three_sides());
  job.video.crf = "0";  // lossless: what was composed can be read back
  const std::array<Take, 2> takes = job.takes;
  run(job);
  const Decoded left = decode(folder / "sides/part.mp4", 0, kWidth / 2);
  const Decoded right = decode(folder / "sides/part.mp4", kWidth / 2, kWidth / 2);
  REQUIRE(left.frames.size() == 28);
  const Decoded left_alone = decode(folder / "sides/part.0.mp4", 0, kWidth / 2);
  const Decoded right_alone = decode(folder / "sides/part.1.mp4", 0, kWidth / 2);
  const Decoded other = decode(folder / "sides/part.2.mp4", 0, 80);
  CHECK(left_alone.frames == left.frames);
  CHECK(right_alone.frames == right.frames);
  CHECK(left_alone.frames != right_alone.frames);
  CHECK(left_alone.key == left.key);
  CHECK(right_alone.key == left.key);
  CHECK(other.key == left.key);
  CHECK(std::ranges::count(left.key, 1) == 3);  // one span of 8 frames, one of 20 with a GOP of 10

  Take cropped = takes[1];
  cropped.crop = {3, 7, 60, 51};
  Composites composites({cropped, cropped}, 160, 34, 8);
  std::vector<std::uint8_t> luma(160 * 34), chroma(160 * 34 / 2);
  const MutablePicture picture{
      {160, 34}, {luma.data(), chroma.data(), chroma.data() + 80 * 17}, {160, 80, 80}};
  REQUIRE(other.frames.size() == 28);
  for (std::int64_t n = 0; n < 28; ++n) {
    composites.render({17 + n + 8, 17 + n + 8}, picture);
    const auto& frame = other.frames[static_cast<std::size_t>(n)];
    for (int y = 0; y < 34; ++y) REQUIRE(std::equal(&luma[160 * y], &luma[160 * y + 80], &frame[80 * y]));
    const std::uint8_t* u = &frame[80 * 34];
    for (int y = 0; y < 17; ++y) REQUIRE(std::equal(&chroma[80 * y], &chroma[80 * y + 40], u + 40 * y));
  }
}

TEST_CASE("sides alone change nothing in the composite, nor do workers in the sides") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "plain", 1));
  run(make_job(folder, "one", 1, three_sides()));
  run(make_job(folder, "three", 3, three_sides()));
  CHECK(tests::bytes_of(folder / "plain/part.mp4") == tests::bytes_of(folder / "one/part.mp4"));
  for (const std::string name : {"all.mp4", "all.0.mp4", "all.1.mp4", "all.2.mp4", "part.0.mp4", "part.2.mp4"}) {
    CHECK(!tests::bytes_of(folder / ("one/" + name)).empty());
    CHECK(tests::bytes_of(folder / ("one/" + name)) == tests::bytes_of(folder / ("three/" + name)));
  }
}

// The third worker finds no chunk left while the others make them.
TEST_CASE("sound that is encoded ahead of the pictures has the same bytes") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const auto make = [&](const std::string& name, int workers) {
    Job job = make_job(folder, name, workers, three_sides());
    job.clips[0].sample_count = 11 * 48'000 + 100;  // long enough
    run(job);
  };
  make("one", 1);
  make("three", 3);
  for (const std::string name : {"all.mp4", "all.0.mp4", "all.1.mp4", "all.2.mp4", "part.mp4", "part.0.mp4"}) {
    CHECK(!tests::bytes_of(folder / ("one/" + name)).empty());
    CHECK(tests::bytes_of(folder / ("one/" + name)) == tests::bytes_of(folder / ("three/" + name)));
  }
}

TEST_CASE("a side alone has its actor's sound in one channel") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "mono", 1, three_sides()));
  const auto channels = [&](const std::string& name) {
    return probe_media(folder / ("mono/" + name)).streams[1].audio->channels;
  };
  CHECK(channels("all.mp4") == 2);
  CHECK(channels("all.0.mp4") == 1);
  CHECK(channels("all.1.mp4") == 1);
}

TEST_CASE("a chunk is resumed only where the spools of all its pictures are whole") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  run(make_job(folder, "a", 1, three_sides()));
  run(make_job(folder, "b", 1));  // leaves the composites' spools
  const Report sides = run(make_job(folder, "b", 2, three_sides()));
  CHECK(sides.resumed_frames == 0);
  CHECK(sides.composed_frames == 40);
  std::filesystem::remove(folder / "b/25.1.spool");
  const Report again = run(make_job(folder, "b", 2, three_sides()));
  CHECK(again.resumed_frames == 20);
  CHECK(run(make_job(folder, "b", 1)).resumed_frames == 40);
  for (const std::string name : {"all.mp4", "all.0.mp4", "all.1.mp4", "all.2.mp4"}) {
    CHECK(tests::bytes_of(folder / ("a/" + name)) == tests::bytes_of(folder / ("b/" + name)));
  }
}

TEST_CASE("the report tells which frames were decoded and what for") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const Job job = make_job(folder, "g", 1);
  const auto lead_in = [&](std::size_t side, std::int64_t first, std::int64_t last) {
    return tests::frames_demanded(job.takes[side].files[0], first, last) - (last - first + 1);
  };
  const Report all = run(job);
  CHECK(all.shown_frames == 80);
  CHECK(all.lead_in_frames == lead_in(0, 5, 44) + lead_in(1, 13, 52));
  CHECK(all.lead_in_frames >= 5 + 13);  // frames 0..4 and 0..12, and what the last ones are predicted from
  CHECK(all.surplus_frames == 0);
  std::filesystem::remove(folder / "g/25.spool");
  const Report second = run(job);
  CHECK(second.shown_frames == 40);
  CHECK(second.lead_in_frames == lead_in(0, 25, 44) + lead_in(1, 33, 52));
  CHECK(second.surplus_frames == 0);
  std::filesystem::remove(folder / "g/5.spool");
  const Report first = run(job);
  CHECK(first.lead_in_frames == lead_in(0, 5, 24) + lead_in(1, 13, 32));
  CHECK(first.surplus_frames == 0);
}

TEST_CASE("the workers' time is told by stage, and what they waited") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  const Report report = run(make_job(folder, "h", 3));  // one more than there are chunks
  CHECK(report.workers == 3);
  double sum = 0.0;
  for (const StageTime& stage : report.stages) {
    sum += stage.seconds;
    CHECK((stage.seconds > 0.0) == (stage.stage != "observe"));
    CHECK(stage.cpu_seconds <= stage.seconds + 0.01);
  }
  CHECK(report.stages[0].stage == "wait");
  CHECK(report.stages[0].cpu_seconds < 0.1);
  CHECK(report.stages[0].seconds > report.wall_seconds * 0.9);
  CHECK(sum == doctest::Approx(3 * report.wall_seconds));
}

TEST_CASE("an observer sees each composite once, and spools keep what it measured") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  std::atomic<int> calls{0};
  const auto observed = [&](int workers) {
    Job job = make_job(folder, "i", workers);
    job.observer = {&look, &calls, 3};
    return run(std::move(job));
  };
  const Report report = observed(2);
  CHECK(calls == 40);
  REQUIRE(report.measured_frames.size() == 40);
  REQUIRE(report.measures.size() == 120);
  for (std::size_t n = 0; n < 40; ++n) {
    CHECK(report.measured_frames[n] == static_cast<std::int64_t>(n) + 5);
    CHECK(report.measures[3 * n] == static_cast<float>(n + 5));
    CHECK(report.measures[3 * n + 1] == static_cast<float>(n + 5));
    CHECK(report.measures[3 * n + 2] == 0.0F);
  }
  std::filesystem::remove(folder / "i/5.spool");
  CHECK(observed(1).measures == report.measures);
  CHECK(calls == 60);
  const Report unobserved = run(make_job(folder, "i", 1));  // spools with measures are another job's
  CHECK(unobserved.resumed_frames == 0);
  CHECK(unobserved.measures.empty());
}

TEST_CASE("a cancelled job leaves no partial file under a final name") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  {
    Engine engine(make_job(folder, "c", 2));
    engine.cancel();
    engine.start();
    CHECK_THROWS_AS(engine.finish(), Error);
  }
  CHECK(std::filesystem::is_empty(folder / "c"));
}

TEST_CASE("a take that changes its size is refused") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  Job job = make_job(folder, "d", 1);
  job.takes[0].format.width = 64;
  job.takes[0].crop.width = 64;
  try {
    run(std::move(job));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::unsupported);
    CHECK(error.subject() == folder / "left.mp4");
  }
}

TEST_CASE("an output folder that is not there is an output error") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  Job job = make_job(folder, "e", 1);
  std::filesystem::remove(folder / "e");
  try {
    run(std::move(job));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::output);
  }
}

TEST_CASE("a worker that hangs is given up, and the others' work stays") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  Job job = make_job(folder, "f", 2);
  job.stall_seconds = 3.0;
  REQUIRE(::mkfifo((folder / "f/.5.spool.part").c_str(), 0600) == 0);  // opening it waits for a reader
  try {
    run(std::move(job));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::stalled);
    CHECK(error.expected() == "work on composite frames 5 to 24 to go on");
  }
  CHECK(std::filesystem::exists(folder / "f/25.spool"));
  CHECK_FALSE(std::filesystem::exists(folder / "f/all.mp4"));
}

TEST_CASE("a mirrored take is shown mirrored") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  Take plain = tests::make_take(folder / "left.mp4"), mirrored = plain;
  mirrored.mirrored = true;
  Composites composites({plain, mirrored}, kWidth, kHeight, 8);
  std::vector<std::uint8_t> samples;
  const MutablePicture picture = picture_in(samples);
  composites.render({3, 3}, picture);
  const PictureView view{picture.format, {samples.data()}, {kWidth}};
  CHECK(tests::read_index(view, 0, kWidth / 2) == 0b00000011);
  CHECK(tests::read_index(view, kWidth / 2, kWidth / 2) == 0b11000000);
}

TEST_CASE("of a take's files one is open at a time, and their frames go on from one to the next") {
  const tests::TemporaryFolder folder;
  write_session(folder);
  Take take = tests::make_take(folder / "left.mp4");
  const auto frames = static_cast<std::int64_t>(take.files[0].pts.size());
  take.files.resize(4, take.files[0]);
  Composites composites({take, take}, kWidth, kHeight, 8);
  std::vector<std::uint8_t> samples;
  const MutablePicture picture = picture_in(samples);
  composites.render({0, 0}, picture);
  const std::ptrdiff_t open = open_descriptors();
  for (const std::int64_t index : {frames - 1, frames, 3 * frames + 7, 2 * frames + 5, std::int64_t{9}}) {
    CHECK(composites.render({index, index}, picture) == 0);
    CHECK(tests::read_index({picture.format, {samples.data()}, {kWidth}}, 0, kWidth / 2) == index % frames);
    CHECK(open_descriptors() == open);
  }
}
