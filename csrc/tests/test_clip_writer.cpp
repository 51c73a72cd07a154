#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

extern "C" {
#include <libavutil/opt.h>
}

#include "av/check.h"
#include "av/frame_reader.h"
#include "emomedia/error.h"
#include "emomedia/media.h"
#include "engine/clip_writer.h"
#include "engine/spool.h"
#include "footage.h"

using namespace emomedia;

namespace {

// Bytes of memory that this process holds, pages of mapped files among them.
std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

TEST_CASE("an actor's sound is floats, and zeros before and after it") {
  const tests::TemporaryFolder folder;
  tests::write_pcm(folder / "a.pcm", 3000);  // 0 .. 999, over and over
  const PcmReader reader({folder / "a.pcm", 16});
  std::vector<float> out(3200, 9.0F);
  reader.read(-100, out);
  for (int n = 0; n < 3200; ++n) {
    const bool inside = n >= 100 && n < 3100;
    CHECK(out[static_cast<std::size_t>(n)] == (inside ? static_cast<float>((n - 100) % 1000) / 32768.0F : 0.0F));
  }
  for (const std::int64_t first : {-5000, 3000, 9000}) {
    reader.read(first, out);
    CHECK(out == std::vector<float>(3200));
  }
}

TEST_CASE("sound that was read does not stay in memory") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.pcm";
  constexpr std::int64_t kSamples = 16 << 20;
  std::ofstream(path).put(0);
  std::filesystem::resize_file(path, kSamples * sizeof(std::int32_t));
  const PcmReader reader({path, 24});
  std::vector<float> out(1 << 16);
  reader.read(0, out);
  const std::int64_t before = resident_bytes();
  for (std::int64_t first = 0; first < kSamples; first += std::ssize(out)) reader.read(first, out);
  CHECK(resident_bytes() - before < (8 << 20));
}

namespace {

// As NVENC is opened, with libx265 instead: parameter sets in the header alone, IDR pictures where they are asked for,
// no B-frames. Nothing where this FFmpeg has no encoder of HEVC on the cores.
av::Codec open_hevc() {
  const AVCodec* encoder = avcodec_find_encoder_by_name("libx265");
  if (encoder == nullptr) return nullptr;
  av::Codec codec(avcodec_alloc_context3(encoder));
  codec->width = 128;
  codec->height = 96;
  codec->pix_fmt = AV_PIX_FMT_YUV420P;
  codec->time_base = {1, 25};
  codec->thread_count = 1;
  codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  av_opt_set(codec->priv_data, "preset", "ultrafast", 0);
  av_opt_set(codec->priv_data, "forced-idr", "1", 0);
  av_opt_set(codec->priv_data, "x265-params", "log-level=none:pools=none:frame-threads=1:keyint=-1:scenecut=0:bframes=0", 0);
  REQUIRE(avcodec_open2(codec.get(), encoder, nullptr) == 0);
  return codec;
}

std::span<const std::uint8_t> sets_of(const AVCodecContext& codec) {
  return {codec.extradata, static_cast<std::size_t>(codec.extradata_size)};
}

// A chunk of spans of such lengths whose frame n shows n.
void write_hevc_spool(const std::string& path, std::int64_t first, const std::vector<int>& spans) {
  const av::Codec codec = open_hevc();
  SpoolWriter spool(path, sets_of(*codec));
  const av::Packet packet = av::make_packet();
  const auto drain = [&] {
    while (avcodec_receive_packet(codec.get(), packet.get()) == 0) {
      spool.add_packet(first + packet->pts, {packet->pts, (packet->flags & AV_PKT_FLAG_KEY) != 0, packet->data,
                                             static_cast<std::size_t>(packet->size)});
      spool.add_damage(0);
      av_packet_unref(packet.get());
    }
  };
  std::int64_t n = 0;
  for (const int length : spans) {
    for (int position = 0; position < length; ++position, ++n) {
      const av::Frame frame = av::make_frame();
      frame->width = codec->width;
      frame->height = codec->height;
      frame->format = codec->pix_fmt;
      av_frame_get_buffer(frame.get(), 0);
      MutablePicture picture{{frame->width, frame->height}};
      for (std::size_t p = 0; p < 3; ++p) {
        picture.data[p] = frame->data[p];
        picture.stride[p] = frame->linesize[p];
      }
      tests::draw_index(picture, static_cast<int>(first + n));
      frame->pts = n;
      frame->pict_type = position == 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
      avcodec_send_frame(codec.get(), frame.get());
      drain();
    }
  }
  avcodec_send_frame(codec.get(), nullptr);
  drain();
  spool.commit();
}

}  // namespace

TEST_CASE("clips of HEVC are joined at spans' edges, one-frame spans among them, and play as hvc1") {
  const av::Codec codec = open_hevc();
  if (codec == nullptr) {
    MESSAGE("skipped: an FFmpeg without libx265");
    return;
  }
  const tests::TemporaryFolder folder;
  const std::vector<std::string> spools{folder / "a.spool", folder / "b.spool"};
  write_hevc_spool(spools[0], 0, {7, 1, 1, 6});
  write_hevc_spool(spools[1], 15, {5, 10});
  tests::write_pcm(folder / "a.pcm", 30 * 1920);
  const PcmReader reader({folder / "a.pcm", 16});
  const av::Parameters parameters(avcodec_parameters_alloc());
  avcodec_parameters_from_context(parameters.get(), codec.get());
  Pulse pulse;
  StageClock clock;
  struct Part {
    std::string name;
    std::int64_t first, count;
    std::vector<std::int64_t> keys;
    Rational rate{25, 1};
  };
  const Part dialogue{"dialogue", 0, 30, {0, 7, 8, 9, 15, 20}};
  Part odd = dialogue;  // no tick that a file can count is of frames and samples both
  odd.rate = {999'999'937, 40'000'000};
  for (const Part& part : {dialogue, {"turn", 8, 12, {0, 1, 7}}, {"one", 7, 1, {0}}, odd}) {
    const ClipStreams streams{parameters.get(), sets_of(*codec), 0, part.rate};
    const std::string path = folder / (part.name + ".mp4");
    const Clip clip{{path}, part.first, part.count, part.first * 1920, part.count * 1920, {0, 1}};
    ClipSound sound(clip, {&reader, &reader}, 64'000);
    write_clip(path, clip, spools, streams, sound, pulse, clock);
    const std::string written = tests::bytes_of(path);
    ClipSound ahead(clip, {&reader, &reader}, 64'000);
    ahead.encode_ahead({}, pulse, clock);
    write_clip(path, clip, spools, streams, ahead, pulse, clock);
    CHECK(tests::bytes_of(path) == written);
    CHECK(tests::bytes_of(path).find("hvc1") != std::string::npos);
    const Take take = tests::make_take(path);
    REQUIRE(take.files[0].pts.size() == static_cast<std::size_t>(part.count));
    av::FrameReader frames(take.files[0], FieldOrder::progressive, pulse, nullptr);
    std::vector<std::int64_t> keys;
    for (std::int64_t n = 0; n < part.count; ++n) {
      if (take.files[0].key[static_cast<std::size_t>(n)] != 0) keys.push_back(n);
      const auto shown = frames.at(n);
      CHECK_FALSE(shown.damaged);
      CHECK(tests::read_index(*shown.frame) == part.first + n);
    }
    CHECK(keys == part.keys);
  }
}

TEST_CASE("spools of another encoder make no clip") {
  const tests::TemporaryFolder folder;
  SpoolWriter(folder / "a.spool", std::vector<std::uint8_t>{1, 2}).commit();
  tests::write_pcm(folder / "a.pcm", 1920);
  const PcmReader reader({folder / "a.pcm", 16});
  VideoSettings settings;
  const av::VideoEncoder encoder(settings);
  const av::Parameters parameters = encoder.parameters();
  const auto sets = encoder.parameter_sets();
  Pulse pulse;
  StageClock clock;
  const std::string path = folder / "a.mp4";
  const Clip clip{{path}, 0, 1, 0, 1920, {0}};
  ClipSound sound(clip, {&reader, &reader}, 64'000);
  CHECK_THROWS_WITH_AS(write_clip(path, clip, {folder / "a.spool"}, {parameters.get(), sets, 0, {25, 1}}, sound, pulse, clock),
                       doctest::Contains("those of another encoder"), Error);
  CHECK_FALSE(std::filesystem::exists(path));
}
