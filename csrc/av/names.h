// libav's enumerations in the words of emomedia, and back.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
}

#include <cstring>
#include <string>

#include "emomedia/frame.h"
#include "emomedia/media.h"

namespace emomedia::av {

inline std::string name_or(const char* name, const char* otherwise) { return name != nullptr ? name : otherwise; }

// An enumeration that libav filled from a file: it may hold any number, and only as one may it be read.
template <typename Enum>
int number_of(const Enum& value) {
  int number = 0;
  static_assert(sizeof number == sizeof value);
  std::memcpy(&number, &value, sizeof number);
  return number;
}

PictureFormat picture_format(AVPixelFormat pixels, int width, int height);
std::string chroma_name(AVPixelFormat pixels);
// Sets format, pixel_format, chroma, composable and alpha.
void describe_pixels(AVPixelFormat pixels, int width, int height, VideoInfo& info);
// These take numbers of libav's enumerations; names of none are "unknown", or "unspecified" for a siting.
std::string field_order_name(int order);
std::string siting_name(int location);
ColorTags color_tags(int range, int matrix, int primaries, int transfer, AVPixelFormat pixels);

// Whether compose takes decoded frames of this kind: planar Y'CbCr of 8 to 12 bits, chroma halved or not
// either way. Alpha is let in and left unread.
bool composable(AVPixelFormat pixels);

// Writes `tags` into an encoder's context; unknown names count as unspecified.
void apply_tags(const ColorTags& tags, AVCodecContext& context);

}  // namespace emomedia::av
