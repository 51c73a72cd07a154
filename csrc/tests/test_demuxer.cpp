#include <doctest/doctest.h>

#include <string>

extern "C" {
#include <libavutil/pixfmt.h>
}

#include "av/demuxer.h"
#include "emomedia/error.h"
#include "footage.h"

using namespace emomedia;

namespace {

using Parameters = av::Demuxer::Parameters;

struct Known {
  int format, width, video_delay;
  bool operator==(const Known&) const = default;
};

Known parameters(const std::string& path, Parameters which) {
  const av::Demuxer demuxer(path, which);
  const AVCodecParameters& video = *demuxer.stream(0).codecpar;
  return {video.format, video.width, video.video_delay};
}

}  // namespace

TEST_CASE("what libav found out of a file's streams is known when it is opened again, without looking") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.mp4";
  tests::write_footage(path, {});
  const Known found = parameters(path, Parameters::found);
  CHECK(found.format == AV_PIX_FMT_YUV420P);
  CHECK(parameters(path, Parameters::declared).format == AV_PIX_FMT_NONE);  // only a decoder knows
  CHECK(parameters(path, Parameters::known) == found);
  tests::blank_samples(path);
  CHECK(parameters(path, Parameters::known) == found);
  CHECK(parameters(path, Parameters::found).format == AV_PIX_FMT_NONE);
}

TEST_CASE("of a file that nobody opened, and of another one in its place, libav finds out what is not known") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.mp4";
  tests::write_footage(path, {});
  CHECK(parameters(path, Parameters::known).format == AV_PIX_FMT_YUV420P);
  tests::write_footage(path, {.width = 64, .height = 64, .frames = 30});
  const Known other = parameters(path, Parameters::known);
  CHECK(other.width == 64);
  CHECK(other == parameters(path, Parameters::found));
}

TEST_CASE("a stream that is not there is an error, as of another file in the place of the one that was probed") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.mp4";
  tests::write_footage(path, {});
  for (const int none : {-1, 2, 1 << 30}) {
    CHECK_THROWS_WITH_AS(av::Demuxer(path).stream(none), doctest::Contains("found 2 streams"), Error);
  }
}
