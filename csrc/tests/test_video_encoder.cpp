#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "av/video_encoder.h"

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

void draw_noise(const MutablePicture& picture, std::mt19937& random) {
  const int largest = (1 << picture.format.depth) - 1, bytes = picture.format.sample_bytes();
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    for (int y = 0; y < picture.format.plane_height(plane); ++y) {
      std::uint8_t* row = picture.data[p] + y * picture.stride[p];
      for (int x = 0; x < picture.format.plane_width(plane); ++x) {
        const auto value = static_cast<std::uint16_t>(random() & static_cast<unsigned>(largest));
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
