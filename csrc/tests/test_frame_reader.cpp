#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "av/frame_reader.h"
#include "emomedia/error.h"
#include "footage.h"

using namespace emomedia;

namespace {

Pulse pulse;

void check_order(const TakeFile& file, const std::vector<int>& order) {
  av::FrameReader reader(file, FieldOrder::progressive, pulse);
  for (const int index : order) {
    const auto shown = reader.at(index);
    CHECK_FALSE(shown.damaged);
    CHECK(tests::read_index(*shown.frame) == index);
  }
}

}  // namespace

TEST_CASE("frames come exactly, in order, reversed, repeated and shuffled") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  const Take take = tests::make_take(folder / "a.mp4");
  std::vector<int> order(60);
  std::iota(order.begin(), order.end(), 0);
  check_order(take.files[0], order);
  check_order(take.files[0], {0, 0, 0, 1, 1, 5, 5, 30, 30});
  check_order(take.files[0], {59, 59, 0, 59});
  std::reverse(order.begin(), order.end());
  check_order(take.files[0], order);
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  check_order(take.files[0], order);
}

TEST_CASE("reading on decodes no frame twice, jumping ahead decodes only from the key frame") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  const Take take = tests::make_take(folder / "a.mp4");
  av::FrameReader onward(take.files[0], FieldOrder::progressive, pulse);
  for (int n = 0; n < 60; ++n) onward.at(n);
  CHECK(onward.counts() == av::DecodeCounts{60, 0, 0});
  av::FrameReader jumping(take.files[0], FieldOrder::progressive, pulse);
  jumping.at(0);
  const auto before = jumping.counts().decoded();
  jumping.at(45);
  CHECK(jumping.counts().decoded() - before <= 6 + 3);  // and those that frame 45 may be predicted from
}

TEST_CASE("where the last frame wanted is known, nothing is decoded that no wanted frame needs") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  const Take take = tests::make_take(folder / "a.mp4");
  for (std::int64_t first = 0; first < 60; first += 7) {
    for (std::int64_t last = first; last < std::min<std::int64_t>(first + 9, 60); ++last) {
      if (first / 20 != last / 20) continue;  // one GOP
      const std::int64_t demanded = tests::frames_demanded(take.files[0], first, last);
      av::FrameReader reader(take.files[0], FieldOrder::progressive, pulse);
      reader.expect(last, nullptr);
      for (std::int64_t n = first; n <= last; ++n) CHECK(tests::read_index(*reader.at(n).frame) == n);
      INFO(first << " to " << last << ": " << reader.counts().lead_in << ", " << reader.counts().surplus);
      CHECK(reader.counts() == av::DecodeCounts{last - first + 1, demanded - (last - first + 1), 0});
      CHECK(tests::read_index(*reader.at(59).frame) == 59);  // wanted after all
      CHECK_FALSE(reader.at(0).damaged);
    }
  }
}

TEST_CASE("reading goes on to what is wanted next, unless a key frame lies between") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  const Take take = tests::make_take(folder / "a.mp4");
  const auto read = [&](std::int64_t gap) {
    av::FrameReader reader(take.files[0], FieldOrder::progressive, pulse);
    const std::int64_t next = 10 + gap;
    reader.expect(9, [&] { return std::optional(av::FrameRange{next, next + 9}); });
    for (std::int64_t n = 0; n < 10; ++n) CHECK(tests::read_index(*reader.at(n).frame) == n);
    reader.expect(next + 9, nullptr);
    for (std::int64_t n = next; n < next + 10; ++n) CHECK(tests::read_index(*reader.at(n).frame) == n);
    return reader.counts();
  };
  const auto ends = [&](std::int64_t first, std::int64_t last) { return tests::frames_demanded(take.files[0], first, last); };
  CHECK(read(0) == av::DecodeCounts{20, ends(0, 19) - 20, 0});
  CHECK(read(0).lead_in == 0);
  CHECK(read(20) == av::DecodeCounts{20, ends(0, 9) - 10 + ends(30, 39) - 10, 0});
}

TEST_CASE("a take cut short gives its last frames as damaged, and the same after a jump") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.mp4";
  tests::write_footage(path, {});
  const Take take = tests::make_take(path);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) * 3 / 4);
  av::FrameReader reader(take.files[0], FieldOrder::progressive, pulse);
  CHECK_FALSE(reader.at(10).damaged);
  CHECK(reader.at(59).damaged);
  CHECK_FALSE(reader.at(10).damaged);
}

TEST_CASE("what is predicted from a broken frame counts as damaged, up to the next key frame") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.mp4";
  tests::write_footage(path, {});
  const Take take = tests::make_take(path);
  std::int64_t position = 0;
  {
    av::Demuxer demuxer(path);
    demuxer.select(0);
    while (const AVPacket* packet = demuxer.read()) {
      if (packet->pts == take.files[0].pts[24]) position = packet->pos;
    }
  }
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(position);
  file << "\xff\xff\xff\xff";  // a NAL unit of 4 GiB
  file.close();
  av::FrameReader reader(take.files[0], FieldOrder::progressive, pulse);
  for (int n = 0; n < 20; ++n) CHECK_FALSE(reader.at(n).damaged);
  for (int n = 24; n < 40; ++n) CHECK(reader.at(n).damaged);
  for (int n = 40; n < 60; ++n) CHECK_FALSE(reader.at(n).damaged);
}

TEST_CASE("a reader that is asked to stop ends at the next packet, however far the wanted frame is") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {.gop = 60});
  const Take take = tests::make_take(folder / "a.mp4");
  Pulse own;
  av::FrameReader reader(take.files[0], FieldOrder::progressive, own);
  own.stop();
  try {
    reader.at(50);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::cancelled);
  }
  CHECK(reader.counts().decoded() == 0);
}
