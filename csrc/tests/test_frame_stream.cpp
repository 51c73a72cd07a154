#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "emomedia/error.h"
#include "emomedia/frames.h"
#include "footage.h"

using namespace emomedia;

namespace {

const StreamSettings kSmall{.width = 256, .height = 128, .ahead = 3};

std::array<Take, 2> make_takes(const tests::TemporaryFolder& folder) {
  tests::write_footage(folder / "left.mp4", {});
  tests::write_footage(folder / "right.mp4", {.width = 96, .height = 80, .gop = 33});
  return {tests::make_take(folder / "left.mp4"), tests::make_take(folder / "right.mp4")};
}

// The right take eight frames behind.
Stretch stretch(std::int64_t first, std::int64_t count) {
  Stretch made{first, {}};
  for (std::int64_t n = first; n < first + count; ++n) {
    made.source[0].push_back(n);
    made.source[1].push_back(n + 8);
  }
  return made;
}

std::array<std::int64_t, 2> shown(const ComposedFrame& frame) {
  const PictureView view{{kSmall.width, kSmall.height}, {frame.samples.get()}, {kSmall.width}};
  return {tests::read_index(view, 0, kSmall.width / 2), tests::read_index(view, kSmall.width / 2, kSmall.width / 2)};
}

// While it is held, whoever opens the file waits.
class Lease {
 public:
  explicit Lease(const std::string& path) : file_(::open(path.c_str(), O_RDWR)) {
    ::signal(SIGIO, SIG_IGN);
    held_ = ::fcntl(file_, F_SETLEASE, F_WRLCK) == 0;
    if (!held_) MESSAGE("no leases on this file system");
  }
  ~Lease() { ::close(file_); }
  explicit operator bool() const { return held_; }

 private:
  int file_;
  bool held_;
};

std::ptrdiff_t threads() {
  const std::filesystem::directory_iterator all("/proc/self/task");
  return std::distance(begin(all), end(all));
}

Cause cause_of_next(FrameStream& stream) {
  try {
    stream.next();
  } catch (const Error& error) {
    return error.cause();
  }
  FAIL("no error");
  return Cause::engine;
}

}  // namespace

TEST_CASE("frames of several stretches come whole and in order, then none") {
  const tests::TemporaryFolder folder;
  FrameStream stream(make_takes(folder), {stretch(5, 20), stretch(40, 3), {}, stretch(2, 4)}, kSmall);
  for (const auto& [first, count] : {std::pair{5, 20}, {40, 3}, {2, 4}}) {
    for (std::int64_t n = first; n < first + count; ++n) {
      const auto frame = stream.next();
      REQUIRE(frame);
      CHECK(shown(*frame) == std::array<std::int64_t, 2>{n, n + 8});
      CHECK(frame->number == n);
      CHECK(frame->damaged == 0);
      CHECK(reinterpret_cast<std::uintptr_t>(frame->samples.get()) % 64 == 0);
    }
  }
  CHECK_FALSE(stream.next());
  CHECK_FALSE(stream.next());
}

TEST_CASE("a buffer is used again after its last owner let go of it, and not before") {
  const tests::TemporaryFolder folder;
  std::vector<ComposedFrame> kept;
  std::set<const std::uint8_t*> kept_places, places;
  {
    FrameStream stream(make_takes(folder), {stretch(0, 50)}, kSmall);
    for (int n = 0; n < 10; ++n) {
      kept.push_back(*stream.next());
      kept_places.insert(kept.back().samples.get());
    }
    while (const auto frame = stream.next()) places.insert(frame->samples.get());
    CHECK(kept_places.size() == 10);
    CHECK(places.size() <= 4);  // three ahead and the one in hand
    for (const std::uint8_t* place : places) CHECK(kept_places.count(place) == 0);
  }
  for (std::int64_t n = 0; n < 10; ++n) {
    CHECK(shown(kept[static_cast<std::size_t>(n)]) == std::array<std::int64_t, 2>{n, n + 8});
  }
}

TEST_CASE("what a side meets comes at its frame, after the frames before it") {
  const tests::TemporaryFolder folder;
  std::array<Take, 2> takes = make_takes(folder);
  takes[1].files.push_back(takes[1].files[0]);
  takes[1].files[1].path = folder / "missing.mp4";
  FrameStream stream(takes, {stretch(50, 10)}, kSmall);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until it is met, three frames ahead
  for (std::int64_t n = 50; n < 52; ++n) CHECK(shown(*stream.next())[0] == n);
  CHECK(cause_of_next(stream) == Cause::not_found);
  CHECK(cause_of_next(stream) == Cause::not_found);
}

TEST_CASE("where both sides fail the left one's error counts") {
  const tests::TemporaryFolder folder;
  std::array<Take, 2> takes = make_takes(folder);
  takes[0].format.width = 64;
  takes[0].crop.width = 64;
  takes[1].files[0].path = folder / "missing.mp4";
  for (int tries = 0; tries < 20; ++tries) {
    FrameStream stream(takes, {stretch(0, 5)}, kSmall);
    CHECK(cause_of_next(stream) == Cause::unsupported);
  }
}

TEST_CASE("closing ends the threads, in the middle of a seek too") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "long.mp4", {.frames = 200, .gop = 200});
  const Take take = tests::make_take(folder / "long.mp4");
  const std::ptrdiff_t before = threads();
  for (const int taken : {0, 3}) {
    FrameStream stream({take, take}, {stretch(180, 10)}, kSmall);
    for (int n = 0; n < taken; ++n) CHECK(stream.next());
    stream.close();
    CHECK(threads() == before);
    CHECK_FALSE(stream.next());
    stream.close();
  }
  { const FrameStream stream({take, take}, {stretch(0, 100)}, kSmall); }
  CHECK(threads() == before);
}

TEST_CASE("a side that hangs is given up, and closing does not wait for it") {
  const tests::TemporaryFolder folder;
  const std::array<Take, 2> takes = make_takes(folder);
  const Lease lease(folder / "right.mp4");
  if (!lease) return;
  StreamSettings impatient = kSmall;
  impatient.stall_seconds = 0.5;
  FrameStream stream(takes, {stretch(0, 5)}, impatient);
  CHECK(cause_of_next(stream) == Cause::stalled);
  CHECK(cause_of_next(stream) == Cause::stalled);
}

TEST_CASE("a caller who gives up waiting gets its own exception") {
  const tests::TemporaryFolder folder;
  const std::array<Take, 2> takes = make_takes(folder);
  const Lease lease(folder / "right.mp4");
  if (!lease) return;
  StreamSettings impatient = kSmall;
  impatient.stall_seconds = 0.5;
  FrameStream stream(takes, {stretch(0, 5)}, impatient);
  CHECK_THROWS_AS(stream.next([] { throw std::runtime_error("interrupted"); }), std::runtime_error);
}

TEST_CASE("a process that was forked is told so, and its copy goes without waiting") {
  const tests::TemporaryFolder folder;
  auto stream = std::make_unique<FrameStream>(make_takes(folder), std::vector{stretch(0, 40)}, kSmall);
  CHECK(stream->next());
  const ::pid_t child = ::fork();
  if (child == 0) {
    bool refused = false;
    try {
      stream->next();
    } catch (const Error&) {
      refused = true;
    }
    stream.reset();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(stream->next());
}

TEST_CASE("frames that a take does not have, and sizes without whole chroma, are refused") {
  const tests::TemporaryFolder folder;
  const std::array<Take, 2> takes = make_takes(folder);
  CHECK_THROWS_AS(FrameStream(takes, {stretch(50, 4)}, kSmall), Error);
  CHECK_THROWS_AS(FrameStream(takes, {stretch(-1, 4)}, kSmall), Error);
  CHECK_THROWS_AS(FrameStream(takes, {stretch(0, 4)}, {.width = 250, .height = 128}), Error);
  CHECK_THROWS_AS(FrameStream(takes, {stretch(0, 4)}, {.width = 256, .height = 127}), Error);
}
