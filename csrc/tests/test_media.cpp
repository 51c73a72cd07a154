#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "emomedia/error.h"
#include "emomedia/media.h"
#include "footage.h"

using namespace emomedia;

namespace {

Cause cause_of(const std::string& path) {
  try {
    probe_media(path);
  } catch (const Error& error) {
    CHECK(error.subject() == path);
    return error.cause();
  }
  FAIL("no error");
  return Cause::engine;
}

}  // namespace

TEST_CASE("probe and scan tell what was written") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  const MediaInfo info = probe_media(folder / "a.mp4");
  REQUIRE(info.streams.size() == 2);
  const VideoInfo& video = *info.streams[0].video;
  CHECK(video.format == PictureFormat{128, 96, 8, 2, 2});
  CHECK(video.chroma == "4:2:0");
  CHECK(video.tags == ColorTags{});
  CHECK(video.average_rate == Rational{25, 1});
  CHECK(video.rotate == 0);
  CHECK(info.streams[1].audio->sample_rate == 48'000);

  const FrameTable table = scan_frames(folder / "a.mp4", 0);
  REQUIRE(table.pts.size() == 60);
  CHECK(table.pts.front() == 0);
  for (std::size_t i = 0; i < 60; ++i) CHECK(table.key[i] == (i % 20 == 0 ? 1 : 0));
  for (std::size_t i = 1; i < 60; ++i) CHECK(table.pts[i] - table.pts[i - 1] == table.last_duration);
}

TEST_CASE("what is not media is refused by cause") {
  const tests::TemporaryFolder folder;
  CHECK(cause_of(folder / "missing.mp4") == Cause::not_found);
  std::ofstream(folder / "empty.mp4").close();
  CHECK(cause_of(folder / "empty.mp4") == Cause::media);
  std::ofstream(folder / "text.mp4") << "no media at all, but a text of some length";
  CHECK(cause_of(folder / "text.mp4") == Cause::media);
}

TEST_CASE("a folder and a pipe are refused, not waited for") {
  const tests::TemporaryFolder folder;
  CHECK(cause_of(folder / "") == Cause::not_found);
  REQUIRE(::mkfifo((folder / "pipe.mp4").c_str(), 0600) == 0);
  CHECK(cause_of(folder / "pipe.mp4") == Cause::not_found);
}

TEST_CASE("the first frame tells what the stream's pictures are") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  const FrameTable table = scan_frames(folder / "a.mp4", 0);
  CHECK(table.decoded.format == PictureFormat{128, 96, 8, 2, 2});
  CHECK(table.decoded.pixel_format == "yuv420p");
  CHECK(table.decoded.composable);
  CHECK(table.decoded.tags == ColorTags{});
  CHECK(table.decoded.field_order == "progressive");
  CHECK(table.hidden == 0);
  CHECK(table.undecodable == 0);
}

TEST_CASE("where the container tells no key frames, the frames' own headers do") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  std::string bytes = tests::bytes_of(folder / "a.mp4");
  bytes.replace(bytes.find("stss"), 4, "free");  // without this table every frame counts as one
  std::ofstream(folder / "b.mp4", std::ios::binary) << bytes;
  const FrameTable table = scan_frames(folder / "b.mp4", 0);
  REQUIRE(table.key.size() == 60);
  for (std::size_t i = 0; i < 60; ++i) CHECK(table.key[i] == (i % 20 == 0 ? 1 : 0));
}

TEST_CASE("a file that was cut off says how many of its frames are there") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.mp4";
  tests::write_footage(path, {});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) * 3 / 4);
  const auto refused = [](const auto& read) {
    try {
      read();
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.cause() == Cause::media);
      CHECK(error.expected() == "the 60 frames that its index names");
    }
  };
  refused([&] { scan_frames(path, 0); });
  refused([&] { frame_times(path, 0); });
}

TEST_CASE("frames' times alone are told without decoding any") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.mp4";
  tests::write_footage(path, {});
  const FrameTable table = scan_frames(path, 0);
  CHECK(frame_times(path, 0) == table.pts);
  tests::blank_samples(path);
  CHECK_THROWS_AS(scan_frames(path, 0), Error);
  CHECK(frame_times(path, 0) == table.pts);
  CHECK_THROWS_AS(frame_times(path, 7), Error);
}

TEST_CASE("a playlist is not followed") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {});
  std::ofstream(folder / "list.m3u8") << "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.mp4\n#EXT-X-ENDLIST\n";
  std::ofstream(folder / "list.txt") << "ffconcat version 1.0\nfile a.mp4\n";
  CHECK(cause_of(folder / "list.m3u8") == Cause::media);
  CHECK(cause_of(folder / "list.txt") == Cause::media);
}
