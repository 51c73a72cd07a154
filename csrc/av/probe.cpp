#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

extern "C" {
#include <libavcodec/codec_desc.h>
#include <libavutil/avutil.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include "av/compat.h"
#include "av/demuxer.h"
#include "av/names.h"
#include "av/watch.h"
#include "emomedia/media.h"

namespace emomedia {
namespace {

Rational rational(AVRational value) { return {value.num, value.den}; }

// HTC's phones write Matroska without a matrix and give the turn in the track's name.
int turn_in_title(const AVStream& stream) {
  const AVDictionaryEntry* title = av_dict_get(stream.metadata, "title", nullptr, 0);
  for (const int degrees : {90, 180, 270}) {
    const std::string name = (degrees < 100 ? "htc_video_rotA-0" : "htc_video_rotA-") + std::to_string(degrees);
    if (title != nullptr && title->value == name) {
      return degrees;
    }
  }
  return 0;
}

// The display matrix as a turn clockwise and a mirror after it. libav's angle is counter-clockwise, and
// that of a matrix without its mirror: the row that makes upright x is negated first.
void read_orientation(const AVStream& stream, VideoInfo& info) {
  const std::int32_t* declared = av::display_matrix(stream);
  info.rotate = declared == nullptr ? turn_in_title(stream) : 0;
  if (declared == nullptr) return;
  std::array<std::int32_t, 9> matrix;
  std::copy_n(declared, matrix.size(), matrix.begin());
  const double determinant = static_cast<double>(matrix[0]) * matrix[4] - static_cast<double>(matrix[1]) * matrix[3];
  info.mirrored = determinant < 0;
  if (info.mirrored) av_display_matrix_flip(matrix.data(), 1, 0);
  const double angle = -av_display_rotation_get(matrix.data());
  const double quarter = std::round(angle / 90.0);
  if (std::isnan(angle) || std::abs(angle - 90.0 * quarter) > 0.01) {
    info.rotate.reset();
  } else {
    info.rotate = ((static_cast<int>(quarter) % 4 + 4) % 4) * 90;
  }
}

VideoInfo video_info(const AVFormatContext& format, const AVStream& stream) {
  const AVCodecParameters& p = *stream.codecpar;
  VideoInfo info;
  av::describe_pixels(static_cast<AVPixelFormat>(p.format), p.width, p.height, info);
  info.tags = av::color_tags(av::number_of(p.color_range), av::number_of(p.color_space),
                             av::number_of(p.color_primaries), av::number_of(p.color_trc),
                             static_cast<AVPixelFormat>(p.format));
  info.siting = av::siting_name(av::number_of(p.chroma_location));
  info.field_order = av::field_order_name(av::number_of(p.field_order));
  info.frame_rate = rational(stream.r_frame_rate);
  info.average_rate = rational(stream.avg_frame_rate);
  info.sample_aspect = rational(av_guess_sample_aspect_ratio(const_cast<AVFormatContext*>(&format),
                                                             const_cast<AVStream*>(&stream), nullptr));
  info.attached_picture = (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
  read_orientation(stream, info);
  return info;
}

AudioInfo audio_info(const AVStream& stream) {
  const AVCodecParameters& p = *stream.codecpar;
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(p.codec_id);
  AudioInfo info;
  info.sample_rate = p.sample_rate;
  info.channels = av::channel_count(p);
  info.sample_format = av::name_or(av_get_sample_fmt_name(static_cast<AVSampleFormat>(p.format)), "unknown");
  info.bits = p.bits_per_raw_sample > 0 ? p.bits_per_raw_sample : av_get_exact_bits_per_sample(p.codec_id);
  info.lossless = descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_LOSSLESS) != 0 &&
                  (descriptor->props & AV_CODEC_PROP_LOSSY) == 0;
  return info;
}

std::string timecode(const AVStream& stream) {
  const AVDictionaryEntry* entry = av_dict_get(stream.metadata, "timecode", nullptr, 0);
  return entry != nullptr ? entry->value : "";
}

StreamInfo stream_info(const AVFormatContext& format, const AVStream& stream) {
  StreamInfo info;
  info.index = stream.index;
  info.type = av::name_or(av_get_media_type_string(stream.codecpar->codec_type), "unknown");
  info.codec = av::name_or(avcodec_get_name(stream.codecpar->codec_id), "unknown");
  info.time_base = rational(stream.time_base);
  if (stream.start_time != AV_NOPTS_VALUE) info.start_pts = stream.start_time;
  info.timecode = timecode(stream);
  if (stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO) info.video = video_info(format, stream);
  if (stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO) info.audio = audio_info(stream);
  return info;
}

}  // namespace

MediaInfo probe_media(const std::string& path, const Idle& idle) {
  const auto info = std::make_shared<MediaInfo>();
  const auto read = [info, path](Pulse&) {
    const av::Demuxer demuxer(path);
    info->format = demuxer.format().iformat->name;
    for (unsigned i = 0; i < demuxer.format().nb_streams; ++i) {
      info->streams.push_back(stream_info(demuxer.format(), demuxer.stream(static_cast<int>(i))));
    }
  };
  do_watched(path, kStallSeconds, read, idle);
  return std::move(*info);
}

std::vector<std::string> library_versions() {
  const auto version = [](const char* name, unsigned v) {
    return std::string(name) + " " + std::to_string(AV_VERSION_MAJOR(v)) + "." + std::to_string(AV_VERSION_MINOR(v)) +
           "." + std::to_string(AV_VERSION_MICRO(v));
  };
  return {version("libavcodec", avcodec_version()), version("libavformat", avformat_version()),
          version("libavutil", avutil_version())};
}

}  // namespace emomedia
