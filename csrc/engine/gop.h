// Where IDR pictures stand: a rule of span and GOP length alone.
#pragma once

#include <cstdint>

namespace emomedia {

// Whether the frame at `position` of a span of `length` frames is an IDR picture: the first one and
// every gop-th after it, but never a span's last, so that no span of two frames or more ends in a lone
// IDR (the next encoder's first would repeat its idr_pic_id, which H.264 7.4.3 forbids).
constexpr bool is_idr(std::int64_t position, std::int64_t length, int gop) {
  return position == 0 || (position % gop == 0 && position + 1 < length);
}

}  // namespace emomedia
