// One decoder on a GPU: which streams it takes, and that it is kept over jumps. libav decodes on the cores here, with
// devices that are none of CUDA's.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

extern "C" {
#include <libavutil/log.h>
}

#include "av/audio_encoder.h"
#include "av/check.h"
#include "av/compat.h"
#include "av/decoder.h"
#include "av/demuxer.h"
#include "av/frame_reader.h"
#include "av/mp4_writer.h"
#include "av/video_encoder.h"
#include "engine/take_reader.h"
#include "fake_gpu.h"
#include "footage.h"

using namespace emomedia;
using emomedia::tests::FakeGpu;

TEST_CASE("a stream with more B-frames in a row than a GPU's decoder has surfaces for is left to the cores") {
  const tests::TemporaryFolder folder;
  const auto gpu = std::make_shared<FakeGpu>();
  if (!av::kFramesAreSurfaces || !gpu->refuse_streams()) {
    MESSAGE("skipped: this FFmpeg copies frames, or has no devices but CUDA's");
    return;
  }
  Pulse pulse;
  const auto queue = gpu->make_queue();
  for (const auto& [preset, refused] : {std::pair{"veryslow", false}, {"placebo", true}}) {  // 8 and 16
    const tests::Footage still{.frames = 40, .gop = 40, .preset = preset, .still = true};
    tests::write_footage(folder / (std::string(preset) + ".mp4"), still);
    const Take take = tests::make_take(folder / (std::string(preset) + ".mp4"));
    TakeReader reader(take, pulse, queue.get());
    for (int n = 0; n < still.frames; ++n) CHECK_FALSE(reader.at(n).damaged);
    CHECK((reader.left_gpu().find("at most 8 B-frames in a row, found more") != std::string::npos) == refused);
  }
}

TEST_CASE("a stream that libav has no way to have a GPU decode is not told of by what it logged before") {
  const tests::TemporaryFolder folder;
  VideoSettings settings;
  settings.width = 128;
  settings.height = 96;
  settings.depth = 10;  // of H.264, which FFmpeg up to 7 has no GPU decode
  av::VideoEncoder video(settings);
  const av::AudioEncoder audio(48'000, 2, 64'000);
  av::Mp4Writer file(folder / "a.mp4", *video.parameters(), settings.rate, *audio.parameters(), 48'000);
  static_cast<void>(video.picture());
  std::ranges::fill(video.memory(), std::uint8_t{0});
  const av::PacketSink sink = [&](const av::EncodedPacket& packet) {
    file.write_video(packet.data, packet.size, packet.pts, packet.pts, packet.idr);
  };
  video.encode(0, true, sink);
  video.finish(sink);
  file.finish();

  const auto gpu = std::make_shared<FakeGpu>();
  if (!gpu->refuse_streams()) {
    MESSAGE("skipped: this FFmpeg has no devices but CUDA's");
    return;
  }
  av::Demuxer demuxer(folder / "a.mp4");
  const auto queue = gpu->make_queue();
  av::Decoder decoder(demuxer.stream(0), "a.mp4", queue->decoding());
  demuxer.select(0);
  av_log(nullptr, AV_LOG_WARNING, "of something else\n");
  const av::Frame frame = av::make_frame();
  while (decoder.receive(*frame) != av::Decoder::Outcome::frame) REQUIRE(decoder.send(demuxer.read()));
  CHECK(decoder.refusal().find("of something else") == std::string::npos);
}

namespace {

int set_up = 0;  // how often libav set an H.264 decoder up

void count_set_ups(void*, int, const char* format, va_list) {
  if (std::string_view(format).starts_with("Reinit context")) ++set_up;
}

}  // namespace

TEST_CASE("an H.264 decoder on a GPU is set up once, wherever frames are read, and gives those that one on the cores gives") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {.gop = 12});
  const Take take = tests::make_take(folder / "a.mp4");
  const auto gpu = std::make_shared<FakeGpu>();
  if (!gpu->refuse_streams()) {
    MESSAGE("skipped: this FFmpeg has no devices but CUDA's");
    return;
  }
  const auto queue = gpu->make_queue();
  Pulse pulse;
  av::FrameReader reader(take.files[0], FieldOrder::progressive, pulse, queue->decoding());
  set_up = 0;
  av_log_set_callback(count_set_ups);
  // Ranges that end before their GOPs do, one that is left in its middle, the file's end, and going back.
  for (const auto& [first, last, expected] : {std::array{0, 9, 9}, {36, 41, 41}, {13, 15, 23}, {50, 59, 59}, {2, 3, 3}, {24, 24, 24}}) {
    reader.expect(expected, nullptr);
    for (int index = first; index <= last; ++index) {
      const auto shown = reader.at(index);
      CHECK_FALSE(shown.damaged);
      CHECK(tests::read_index(*shown.frame) == index);
    }
  }
  av::take_log_back();
  CHECK(set_up == 1);
}

TEST_CASE("an IDR picture that an edit list hides empties an H.264 decoder on a GPU as well") {
  const tests::TemporaryFolder folder;
  tests::write_footage(folder / "a.mp4", {.gop = 12});
  const auto gpu = std::make_shared<FakeGpu>();
  if (!gpu->refuse_streams()) {
    MESSAGE("skipped: this FFmpeg has no devices but CUDA's");
    return;
  }
  const auto queue = gpu->make_queue();
  av::Demuxer demuxer(folder / "a.mp4");
  demuxer.select(0);
  av::Decoder decoder(demuxer.stream(0), "a.mp4", queue->decoding());
  const av::Packet hidden(av_packet_clone(demuxer.read()));
  hidden->flags |= AV_PKT_FLAG_DISCARD;
  set_up = 0;
  av_log_set_callback(count_set_ups);
  REQUIRE(decoder.send(hidden.get()));
  decoder.flush();
  const AVPacket* next = demuxer.read();
  while ((next->flags & AV_PKT_FLAG_KEY) == 0) next = demuxer.read();
  REQUIRE(decoder.send(next));
  av::take_log_back();
  CHECK(set_up == 1);
}
