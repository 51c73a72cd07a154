#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "av/check.h"
#include "av/idr.h"

using namespace emomedia;

namespace {

using Bytes = std::vector<std::uint8_t>;

bool is_idr(const Bytes& data, const Bytes& extradata) {
  const av::Codec codec(avcodec_alloc_context3(nullptr));
  if (!extradata.empty()) {
    codec->extradata = static_cast<std::uint8_t*>(av_mallocz(extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    codec->extradata_size = static_cast<int>(extradata.size());
    std::ranges::copy(extradata, codec->extradata);
  }
  const av::Packet packet = av::make_packet();
  REQUIRE(av_new_packet(packet.get(), static_cast<int>(data.size())) == 0);
  std::ranges::copy(data, packet->data);
  return av::is_idr(*packet, *codec);
}

}  // namespace

TEST_CASE("the first slice of a packet tells whether it is an IDR picture, wherever NAL units begin") {
  constexpr std::uint8_t kSei = 6, kIdr = 0x65, kOther = 0x41;
  const Bytes none, two{1, 100, 0, 40, 0xFC | 1, 0xE1, 0}, four{1, 100, 0, 40, 0xFC | 3, 0xE1, 0};
  CHECK(is_idr({0, 0, 0, 1, kSei, 5, 0, 0, 1, kIdr, 9}, none));
  CHECK_FALSE(is_idr({0, 0, 0, 1, kSei, 5, 0, 0, 1, kOther, 9, 0, 0, 1, kIdr}, none));
  CHECK(is_idr({0, 2, kSei, 5, 0, 2, kIdr, 9}, two));
  CHECK_FALSE(is_idr({0, 2, kSei, 5, 0, 2, kOther, 9, 0, 1, kIdr}, two));
  CHECK(is_idr({0, 0, 0, 1, kIdr}, four));
  // None, or cut off.
  for (const Bytes& data : {Bytes{}, Bytes{0}, Bytes{0, 2}, Bytes{0, 3, kIdr, 9}, Bytes{0, 0, kIdr}, Bytes{0, 2, kSei, 5}}) {
    CHECK_FALSE(is_idr(data, two));
  }
  CHECK_FALSE(is_idr({0, 0, 1}, none));
}
