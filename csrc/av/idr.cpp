#include "av/idr.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace emomedia::av {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr int kSlice = 1, kIdrSlice = 5;  // and those of data partitions between them
constexpr std::array<std::uint8_t, 3> kStartCode{0, 0, 1};

// Bytes of the length before each NAL unit (ISO/IEC 14496-15's avcC); 0 where they begin with start codes.
std::size_t length_size(const AVCodecContext& codec) {
  const bool avcc = codec.extradata_size >= 7 && codec.extradata[0] == 1;
  return avcc ? (codec.extradata[4] & 3U) + 1 : 0;
}

// Moves `data` to the next NAL unit, of which `left` bytes are there, or as many as come before the next start code;
// false where there is none.
bool to_next_unit(Bytes& data, std::size_t& left, std::size_t length_bytes) {
  if (length_bytes == 0) {
    const auto code = std::search(data.begin(), data.end(), kStartCode.begin(), kStartCode.end());
    const auto before = static_cast<std::size_t>(code - data.begin());
    data = data.subspan(std::min(data.size(), before + kStartCode.size()));
    return !data.empty();
  }
  data = data.subspan(left);
  if (data.size() <= length_bytes) return false;
  left = 0;
  for (const std::uint8_t byte : data.first(length_bytes)) left = left << 8 | byte;
  data = data.subspan(length_bytes);
  return left > 0 && left <= data.size();
}

}  // namespace

bool is_idr(const AVPacket& packet, const AVCodecContext& codec) {
  Bytes data(packet.data, static_cast<std::size_t>(std::max(packet.size, 0)));
  std::size_t left = 0;  // of the NAL unit that `data` stands at
  while (to_next_unit(data, left, length_size(codec))) {
    const int type = data[0] & 31;
    if (type >= kSlice && type <= kIdrSlice) return type == kIdrSlice;
  }
  return false;
}

}  // namespace emomedia::av
