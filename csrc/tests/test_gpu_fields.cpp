// H.264 whose fields are coded by themselves, on a GPU's decoder.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include <libavformat/avformat.h>
}

#include "av/check.h"
#include "av/decoder.h"
#include "fake_gpu.h"

using namespace emomedia;

namespace {

constexpr int kSize = 64, kFields = 4;  // of a closed group of pictures

// What a header says, bit by bit (H.264 7.2), up to a whole byte.
class Bits {
 public:
  Bits& u(unsigned value, int count) {
    while (count-- > 0) text_ += (value >> count & 1U) != 0 ? '1' : '0';
    return *this;
  }
  Bits& ue(unsigned value) {
    int count = 1;
    while ((value + 1) >> count != 0) ++count;
    return u(value + 1, 2 * count - 1);
  }
  void append_to(std::vector<std::uint8_t>& bytes) const {
    for (std::size_t at = 0; at < text_.size(); at += 8) {
      std::string byte = text_.substr(at, 8);
      byte.resize(8, '0');
      bytes.push_back(static_cast<std::uint8_t>(std::stoi(byte, nullptr, 2)));
    }
  }

 private:
  std::string text_;
};

void begin_unit(std::vector<std::uint8_t>& bytes, int type) {
  bytes.insert(bytes.end(), {0, 0, 1, static_cast<std::uint8_t>(0x60 | type)});
}

void add_parameters(std::vector<std::uint8_t>& bytes) {
  begin_unit(bytes, 7);
  Bits sequence;
  sequence.u(77, 8).u(0, 8).u(30, 8).ue(0).ue(0).ue(0).ue(4).ue(1).u(0, 1).ue(kSize / 16 - 1).ue(kSize / 32 - 1);
  sequence.ue(kSize / 16 - 1).ue(kSize / 32 - 1).u(0, 2).u(1, 1).u(0, 2).u(1, 1).append_to(bytes);
  begin_unit(bytes, 8);
  Bits picture;
  picture.ue(0).ue(0).u(0, 2).ue(0).ue(0).ue(0).u(0, 3).ue(0).ue(0).ue(0).u(0, 3).u(1, 1).append_to(bytes);
}

std::uint8_t level_of(int group, int field) { return static_cast<std::uint8_t>(20 + 40 * group + 10 * field); }

// A flat field, as a slice of I_PCM macroblocks. A group's first is an IDR one.
av::Packet packet_of(int group, int field) {
  std::vector<std::uint8_t> bytes;
  const bool idr = field == 0;
  if (idr) add_parameters(bytes);
  begin_unit(bytes, idr ? 5 : 1);
  Bits header;
  header.ue(0).ue(7).ue(0).u(static_cast<unsigned>(field) / 2, 4).u(1, 1).u(static_cast<unsigned>(field) % 2, 1);
  if (idr) header.ue(static_cast<unsigned>(group) % 2);
  header.u(static_cast<unsigned>(field), 8).u(0, idr ? 2 : 1).ue(0);
  for (int block = 0; block < kSize / 16 * kSize / 32; ++block) {
    Bits bits = block == 0 ? header : Bits();
    bits.ue(25).append_to(bytes);
    bytes.insert(bytes.end(), 256, level_of(group, field));
    bytes.insert(bytes.end(), 128, 128);
  }
  bytes.push_back(0x80);
  av::Packet packet = av::make_packet();
  REQUIRE(av_new_packet(packet.get(), static_cast<int>(bytes.size())) == 0);
  std::ranges::copy(bytes, packet->data);
  packet->pts = group * kFields + field;
  return packet;
}

}  // namespace

TEST_CASE("frames of two fields that are coded by themselves keep both over jumps, on a GPU's decoder too") {
  const auto gpu = std::make_shared<tests::FakeGpu>();
  if (!gpu->refuse_streams()) {
    MESSAGE("skipped: this FFmpeg has no devices but CUDA's");
    return;
  }
  const auto queue = gpu->make_queue();
  av::capture_log();
  const std::unique_ptr<AVFormatContext, decltype(&avformat_free_context)> format(avformat_alloc_context(), avformat_free_context);
  AVStream* stream = avformat_new_stream(format.get(), nullptr);
  stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
  stream->codecpar->codec_id = AV_CODEC_ID_H264;
  av::Decoder decoder(*stream, "fields", queue->decoding());
  const av::Frame frame = av::make_frame();
  int shown = 0;
  for (int group = 0; group < 5; ++group) {
    for (int field = 0; field <= kFields; ++field) {
      REQUIRE(decoder.send(field < kFields ? packet_of(group, field).get() : nullptr));
      while (decoder.receive(*frame) == av::Decoder::Outcome::frame) {
        const auto first = static_cast<int>(frame->pts) % kFields;
        INFO("group " << group << ", field " << first);
        CHECK(frame->data[0][0] == level_of(group, first));
        CHECK(frame->data[0][frame->linesize[0]] == level_of(group, first + 1));
        ++shown;
      }
    }
    decoder.flush();
  }
  CHECK(shown == 5 * kFields / 2);
}
