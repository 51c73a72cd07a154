#include "av/names.h"

namespace emomedia::av {
namespace {

constexpr int kDeepest = 12;  // bits: what the compose contract holds

bool declares_full_range(AVPixelFormat pixels) {
  return pixels == AV_PIX_FMT_YUVJ420P || pixels == AV_PIX_FMT_YUVJ422P || pixels == AV_PIX_FMT_YUVJ444P;
}

}  // namespace

PictureFormat picture_format(AVPixelFormat pixels, int width, int height) {
  PictureFormat format{width, height};
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(pixels);
  if (descriptor == nullptr) return format;
  format.depth = descriptor->comp[0].depth;
  format.sub_x = 1 << descriptor->log2_chroma_w;
  format.sub_y = 1 << descriptor->log2_chroma_h;
  return format;
}

std::string chroma_name(AVPixelFormat pixels) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(pixels);
  if (d == nullptr || d->nb_components < 3 || (d->flags & AV_PIX_FMT_FLAG_RGB) != 0) {
    return name_or(av_get_pix_fmt_name(pixels), "unknown");
  }
  if (d->log2_chroma_w == 1 && d->log2_chroma_h == 1) return "4:2:0";
  if (d->log2_chroma_w == 1 && d->log2_chroma_h == 0) return "4:2:2";
  if (d->log2_chroma_w == 0 && d->log2_chroma_h == 0) return "4:4:4";
  if (d->log2_chroma_w == 0 && d->log2_chroma_h == 1) return "4:4:0";
  return name_or(av_get_pix_fmt_name(pixels), "unknown");
}

void describe_pixels(AVPixelFormat pixels, int width, int height, VideoInfo& info) {
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(pixels);
  info.format = picture_format(pixels, width, height);
  info.pixel_format = name_or(av_get_pix_fmt_name(pixels), "unknown");
  info.chroma = chroma_name(pixels);
  info.composable = composable(pixels);
  info.alpha = descriptor != nullptr && (descriptor->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

std::string field_order_name(int order) {
  switch (order) {
    case AV_FIELD_PROGRESSIVE: return "progressive";
    case AV_FIELD_TT: return "tt";
    case AV_FIELD_BB: return "bb";
    case AV_FIELD_TB: return "tb";
    case AV_FIELD_BT: return "bt";
    default: return "unknown";
  }
}

std::string siting_name(int location) {
  if (location < 0 || location >= AVCHROMA_LOC_NB) return "unspecified";
  return name_or(av_chroma_location_name(static_cast<AVChromaLocation>(location)), "unspecified");
}

ColorTags color_tags(int range, int matrix, int primaries, int transfer, AVPixelFormat pixels) {
  const auto named = [](int value, int unspecified, int count, auto name) -> std::string {
    if (value == unspecified) return "unspecified";
    return value < 0 || value >= count ? "unknown" : name_or(name(value), "unknown");
  };
  ColorTags tags;
  if (range == AVCOL_RANGE_JPEG || declares_full_range(pixels)) {
    tags.range = "full";
  } else {
    tags.range = range == AVCOL_RANGE_MPEG ? "limited" : "unspecified";
  }
  tags.matrix = named(matrix, AVCOL_SPC_UNSPECIFIED, AVCOL_SPC_NB,
                      [](int value) { return av_color_space_name(static_cast<AVColorSpace>(value)); });
  tags.primaries = named(primaries, AVCOL_PRI_UNSPECIFIED, AVCOL_PRI_NB,
                         [](int value) { return av_color_primaries_name(static_cast<AVColorPrimaries>(value)); });
  tags.transfer =
      named(transfer, AVCOL_TRC_UNSPECIFIED, AVCOL_TRC_NB,
            [](int value) { return av_color_transfer_name(static_cast<AVColorTransferCharacteristic>(value)); });
  return tags;
}

bool composable(AVPixelFormat pixels) {
  constexpr std::uint64_t kOtherKinds = AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                                        AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_BAYER |
                                        AV_PIX_FMT_FLAG_FLOAT;
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(pixels);
  if (d == nullptr || d->nb_components < 3 || (d->flags & kOtherKinds) != 0) return false;
  if (d->log2_chroma_w > 1 || d->log2_chroma_h > 1) return false;
  const int depth = d->comp[0].depth;
  if (depth < 8 || depth > kDeepest) return false;
  for (int plane = 0; plane < 3; ++plane) {
    const AVComponentDescriptor& c = d->comp[plane];
    if (c.plane != plane || c.step != (depth > 8 ? 2 : 1) || c.shift != 0 || c.depth != depth) return false;
  }
  return true;
}

void apply_tags(const ColorTags& tags, AVCodecContext& context) {
  const int matrix = av_color_space_from_name(tags.matrix.c_str());
  const int primaries = av_color_primaries_from_name(tags.primaries.c_str());
  const int transfer = av_color_transfer_from_name(tags.transfer.c_str());
  context.color_range = tags.range == "full" ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  context.colorspace = matrix < 0 ? AVCOL_SPC_UNSPECIFIED : static_cast<AVColorSpace>(matrix);
  context.color_primaries = primaries < 0 ? AVCOL_PRI_UNSPECIFIED : static_cast<AVColorPrimaries>(primaries);
  context.color_trc = transfer < 0 ? AVCOL_TRC_UNSPECIFIED : static_cast<AVColorTransferCharacteristic>(transfer);
  context.chroma_sample_location = AVCHROMA_LOC_LEFT;
}

}  // namespace emomedia::av
