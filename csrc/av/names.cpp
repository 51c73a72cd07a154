#include "av/names.h"

namespace emomedia::av {
namespace {

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
  if (d == nullptr || d->nb_components != 3 || (d->flags & AV_PIX_FMT_FLAG_RGB) != 0) {
    return name_or(av_get_pix_fmt_name(pixels), "unknown");
  }
  if (d->log2_chroma_w == 1 && d->log2_chroma_h == 1) return "4:2:0";
  if (d->log2_chroma_w == 1 && d->log2_chroma_h == 0) return "4:2:2";
  if (d->log2_chroma_w == 0 && d->log2_chroma_h == 0) return "4:4:4";
  return name_or(av_get_pix_fmt_name(pixels), "unknown");
}

std::string field_order_name(AVFieldOrder order) {
  switch (order) {
    case AV_FIELD_PROGRESSIVE: return "progressive";
    case AV_FIELD_TT: return "tt";
    case AV_FIELD_BB: return "bb";
    case AV_FIELD_TB: return "tb";
    case AV_FIELD_BT: return "bt";
    default: return "unknown";
  }
}

ColorTags color_tags(AVColorRange range, AVColorSpace matrix, AVColorPrimaries primaries,
                     AVColorTransferCharacteristic transfer, AVPixelFormat pixels) {
  ColorTags tags;
  if (range == AVCOL_RANGE_JPEG || declares_full_range(pixels)) {
    tags.range = "full";
  } else {
    tags.range = range == AVCOL_RANGE_MPEG ? "limited" : "unspecified";
  }
  tags.matrix = matrix == AVCOL_SPC_UNSPECIFIED ? "unspecified" : name_or(av_color_space_name(matrix), "unknown");
  tags.primaries =
      primaries == AVCOL_PRI_UNSPECIFIED ? "unspecified" : name_or(av_color_primaries_name(primaries), "unknown");
  tags.transfer =
      transfer == AVCOL_TRC_UNSPECIFIED ? "unspecified" : name_or(av_color_transfer_name(transfer), "unknown");
  return tags;
}

bool composable(AVPixelFormat pixels) {
  switch (pixels) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUV420P10LE:
    case AV_PIX_FMT_YUV422P10LE: return true;
    default: return false;
  }
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
