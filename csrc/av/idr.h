// Where an H.264 decoder needs nothing from before.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace emomedia::av {

// Whether a packet of H.264 is an IDR picture, as the codec's parameters lay out its NAL units.
bool is_idr(const AVPacket& packet, const AVCodecContext& codec);

}  // namespace emomedia::av
