// libav's enumerations in the words of emomedia, and back.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
}

#include <string>

#include "emomedia/frame.h"
#include "emomedia/media.h"

namespace emomedia::av {

inline std::string name_or(const char* name, const char* otherwise) { return name != nullptr ? name : otherwise; }

PictureFormat picture_format(AVPixelFormat pixels, int width, int height);
std::string chroma_name(AVPixelFormat pixels);
// Sets format, pixel_format, chroma, composable and alpha.
void describe_pixels(AVPixelFormat pixels, int width, int height, VideoInfo& info);
std::string field_order_name(AVFieldOrder order);
ColorTags color_tags(AVColorRange range, AVColorSpace matrix, AVColorPrimaries primaries,
                     AVColorTransferCharacteristic transfer, AVPixelFormat pixels);

// Whether compose takes decoded frames of this kind: planar Y'CbCr of 8 to 12 bits, chroma halved or not
// either way. Alpha is let in and left unread.
bool composable(AVPixelFormat pixels);

// Writes `tags` into an encoder's context; unknown names count as unspecified.
void apply_tags(const ColorTags& tags, AVCodecContext& context);

}  // namespace emomedia::av
