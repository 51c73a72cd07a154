#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "av/check.h"
#include "av/pack_p010.h"
#include "av/video_encoder.h"
#include "emomedia/error.h"

using namespace emomedia;

namespace {

constexpr int kHalf = 64, kHeight = 48, kFrames = 6;

VideoSettings settings(int width, int depth) {
  VideoSettings settings;
  settings.width = width;
  settings.height = kHeight;
  settings.depth = depth;
  return settings;
}

// Of all values below `levels`, or of all there are.
void draw_noise(const MutablePicture& picture, std::mt19937& random, int levels = 0) {
  const int bytes = picture.format.sample_bytes();
  const auto values = static_cast<unsigned>(levels > 0 ? levels : 1 << picture.format.depth);
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    for (int y = 0; y < picture.format.plane_height(plane); ++y) {
      std::uint8_t* row = picture.data[p] + y * picture.stride[p];
      for (int x = 0; x < picture.format.plane_width(plane); ++x) {
        const auto value = static_cast<std::uint16_t>(random() % values);
        std::memcpy(row + x * bytes, &value, static_cast<std::size_t>(bytes));
      }
    }
  }
}

void copy_half(const MutablePicture& whole, std::size_t side, const MutablePicture& half) {
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    const auto bytes = static_cast<std::size_t>(half.format.plane_width(plane) * half.format.sample_bytes());
    for (int y = 0; y < half.format.plane_height(plane); ++y) {
      std::memcpy(half.data[p] + y * half.stride[p], whole.data[p] + y * whole.stride[p] + side * bytes, bytes);
    }
  }
}

struct Packets {
  std::vector<std::uint8_t> bytes;
  av::PacketSink sink = [this](const av::EncodedPacket& packet) {
    bytes.insert(bytes.end(), packet.data, packet.data + packet.size);
  };
};

}  // namespace

TEST_CASE("a half encoded by reference gives the packets of its copy, and the whole is never copied") {
  for (const int depth : {8, 10}) {
    std::mt19937 random(1);
    av::VideoEncoder whole(settings(2 * kHalf, depth)), left(settings(kHalf, depth)), right(settings(kHalf, depth)),
        left_copy(settings(kHalf, depth)), right_copy(settings(kHalf, depth));
    Packets all, l, r, lc, rc;
    const std::uint8_t* drawn = whole.picture().data[0];
    for (int n = 0; n < kFrames; ++n) {
      const MutablePicture picture = whole.picture();
      CHECK(picture.data[0] == drawn);
      draw_noise(picture, random);
      copy_half(picture, 0, left_copy.picture());
      copy_half(picture, 1, right_copy.picture());
      const bool idr = n % 4 == 0;
      whole.encode(n, idr, all.sink);
      left.encode_half(whole, 0, n, idr, l.sink);
      right.encode_half(whole, 1, n, idr, r.sink);
      left_copy.encode(n, idr, lc.sink);
      right_copy.encode(n, idr, rc.sink);
    }
    left.finish(l.sink);
    right.finish(r.sink);
    left_copy.finish(lc.sink);
    right_copy.finish(rc.sink);
    CHECK(!l.bytes.empty());
    CHECK(l.bytes == lc.bytes);
    CHECK(r.bytes == rc.bytes);
    CHECK(l.bytes != r.bytes);
  }
}

// What the two encoders' pictures of the same scene cost differs by what went before, not by an I picture's offset.
TEST_CASE("an encoder's first picture is as fine as the IDR pictures of one that has encoded more") {
  constexpr int kSpan = 10, kSpans = 3;
  VideoSettings own = settings(320, 8);
  own.height = 240;
  const auto sizes = [&](std::int64_t first) {
    std::mt19937 random(1);
    std::vector<std::size_t> idr_sizes;
    const av::PacketSink sink = [&](const av::EncodedPacket& packet) {
      if (packet.idr) idr_sizes.push_back(packet.size);
    };
    av::VideoEncoder encoder(own);
    for (std::int64_t n = first; n < kSpan * kSpans; ++n) {
      draw_noise(encoder.picture(), random, 16);  // grain, of which the quantiser decides what stays
      encoder.encode(n, n % kSpan == 0, sink);
    }
    encoder.finish(sink);
    return idr_sizes;
  };
  const std::vector<std::size_t> continued = sizes(0), fresh = sizes(kSpan);
  REQUIRE(continued.size() == kSpans);
  REQUIRE(fresh.size() == kSpans - 1);
  CHECK(fresh[0] == doctest::Approx(continued[1]).epsilon(0.1));
}

TEST_CASE("P010 has the samples of its planes, or of a half's") {
  const av::Frame planar = av::make_frame(), packed = av::make_frame();
  planar->format = AV_PIX_FMT_YUV420P10LE;
  packed->format = AV_PIX_FMT_P010LE;
  planar->width = 12;
  packed->width = 6;
  planar->height = packed->height = 4;
  av_frame_get_buffer(planar.get(), 0);
  av_frame_get_buffer(packed.get(), 0);
  std::mt19937 random(1);
  MutablePicture whole{{12, 4, 10}};
  for (std::size_t p = 0; p < 3; ++p) {
    whole.data[p] = planar->data[p];
    whole.stride[p] = planar->linesize[p];
  }
  draw_noise(whole, random);
  for (int p = 0; p < 3; ++p) planar->data[p] += p == 0 ? 12 : 6;  // the right half
  MutablePicture half = whole, target{{6, 4, 10}};
  half.format.width = 6;
  for (std::size_t p = 0; p < 3; ++p) half.data[p] = planar->data[p];
  target.data = {packed->data[0], packed->data[1], packed->data[1] + 2};
  target.stride = {packed->linesize[0], packed->linesize[1], packed->linesize[1]};
  target.p010 = true;
  av::pack_p010(half, target);
  const auto sample = [](const std::uint8_t* row, int x) { return reinterpret_cast<const std::uint16_t*>(row)[x]; };
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 6; ++x) {
      const int from = sample(planar->data[0] + y * planar->linesize[0], x);
      CHECK(sample(packed->data[0] + y * packed->linesize[0], x) == from * 64);
      if (y % 2 != 0 || x % 2 != 0) continue;
      for (int p = 1; p < 3; ++p) {
        const int chroma = sample(planar->data[p] + y / 2 * planar->linesize[p], x / 2);
        CHECK(sample(packed->data[1] + y / 2 * packed->linesize[1], x + p - 1) == chroma * 64);
      }
    }
  }
}

TEST_CASE("NVENC without a GPU is refused as a device's error") {
  for (const char* name : {"h264_nvenc", "hevc_nvenc"}) {
    VideoSettings asked = settings(320, 8);
    asked.encoder = name;
    if (avcodec_find_encoder_by_name(name) == nullptr) {
      MESSAGE("skipped: an FFmpeg without " << name);
      continue;
    }
    try {
      const av::VideoEncoder encoder(asked);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.cause() == Cause::device);
      CHECK(error.subject() == name);
    }
  }
}
