#include "av/video_encoder.h"

extern "C" {
#include <libavutil/opt.h>
}

#include <string>
#include <utility>

#include "av/check.h"
#include "av/names.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

constexpr const char* kSubject = "libx264";

// Without cpu-independent=1 and one thread the same frames give several different streams, even
// within one process. Key frames are the engine's: no scene cuts, no periodic ones.
constexpr const char* kDeterministic =
    "cpu-independent=1:threads=1:lookahead-threads=1:sliced-threads=0:sync-lookahead=0:"
    "keyint=infinite:min-keyint=1:scenecut=0:open-gop=0:force-cfr=1";

const AVCodec* find_libx264() {
  const AVCodec* encoder = avcodec_find_encoder_by_name("libx264");
  if (encoder != nullptr) return encoder;
  throw Error(Cause::unsupported, kSubject, "an FFmpeg with libx264", "one without",
              "install your distribution's full FFmpeg libraries");
}

void set_option(AVCodecContext& codec, const char* name, const std::string& value) {
  if (av_opt_set(codec.priv_data, name, value.c_str(), 0) >= 0) return;
  throw Error(Cause::unsupported, std::string("--") + name, "a value that libx264 knows", value,
              "see `emomedia run --help`");
}

Codec open_encoder(const VideoSettings& s) {
  capture_log();
  const AVCodec* encoder = find_libx264();
  Codec codec(allocated(avcodec_alloc_context3(encoder)));
  codec->width = s.width;
  codec->height = s.height;
  codec->pix_fmt = s.depth > 8 ? AV_PIX_FMT_YUV420P10LE : AV_PIX_FMT_YUV420P;
  codec->framerate = {static_cast<int>(s.rate.num), static_cast<int>(s.rate.den)};
  codec->time_base = av_inv_q(codec->framerate);
  codec->sample_aspect_ratio = {1, 1};
  codec->thread_count = 1;
  codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  apply_tags(s.tags, *codec);
  set_option(*codec, "preset", s.preset);
  set_option(*codec, "crf", s.crf);
  set_option(*codec, "forced-idr", "1");
  set_option(*codec, "x264-params", kDeterministic);
  clear_log();
  if (avcodec_open2(codec.get(), encoder, nullptr) < 0) {
    throw Error(Cause::unsupported, kSubject, "settings that libx264 takes",
                "preset " + s.preset + ", crf " + s.crf + " (" + last_log() + ")", "see `emomedia run --help`");
  }
  return codec;
}

// x264 gives an I picture a finer quantiser than the P pictures before it, by its ip_factor; the first picture of
// an encoder has none before it and is left coarse. Here it is no more the first than any other IDR picture: the
// clip goes on from another encoder. A region of interest as large as the picture is how libavcodec passes the
// offset on; it goes by way of adaptive quantisation, which `ultrafast` does without.
constexpr double kIpFactorQp = 2.913;  // 6 log2(1.4), x264's default
constexpr int kPerMille = 1000;

void refine_first_picture(AVFrame& frame, const PictureFormat& format) {
  AVFrameSideData* data =
      allocated(av_frame_new_side_data(&frame, AV_FRAME_DATA_REGIONS_OF_INTEREST, sizeof(AVRegionOfInterest)));
  const int qp_range = 51 + 6 * (format.depth - 8);
  *reinterpret_cast<AVRegionOfInterest*>(data->data) = {
      sizeof(AVRegionOfInterest), 0, format.height, 0, format.width,
      {static_cast<int>(-kIpFactorQp * kPerMille), qp_range * kPerMille}};
}

}  // namespace

VideoEncoder::VideoEncoder(const VideoSettings& settings)
    : codec_(open_encoder(settings)),
      frame_(make_frame()),
      packet_(make_packet()),
      format_(picture_format(codec_->pix_fmt, settings.width, settings.height)),
      adaptive_(settings.preset != "ultrafast") {
  frame_->width = codec_->width;
  frame_->height = codec_->height;
  frame_->format = codec_->pix_fmt;
}

MutablePicture VideoEncoder::picture() {
  if (frame_->buf[0] == nullptr) {
    check(av_frame_get_buffer(frame_.get(), 0), kSubject, "allocate a frame", Direction::working);
  }
  check(av_frame_make_writable(frame_.get()), kSubject, "allocate a frame", Direction::working);
  MutablePicture picture{format_};
  for (std::size_t plane = 0; plane < 3; ++plane) {
    picture.data[plane] = frame_->data[plane];
    picture.stride[plane] = frame_->linesize[plane];
  }
  return picture;
}

std::span<std::uint8_t> VideoEncoder::memory() const {
  const AVBufferRef* buffer = frame_->buf[0];
  return buffer == nullptr || frame_->buf[1] != nullptr ? std::span<std::uint8_t>{} : std::span(buffer->data, buffer->size);
}

void VideoEncoder::encode(std::int64_t pts, bool idr, const PacketSink& sink) { send(*frame_, pts, idr, sink); }

void VideoEncoder::encode_half(const VideoEncoder& whole, std::size_t side, std::int64_t pts, bool idr,
                               const PacketSink& sink) {
  const Frame half = make_frame();  // gone before the whole is drawn again, which would copy it otherwise
  check(av_frame_ref(half.get(), whole.frame_.get()), kSubject, "refer to a frame", Direction::working);
  half->width = format_.width;
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const int across = format_.plane_width(static_cast<int>(plane)) * format_.sample_bytes();
    half->data[plane] += side * static_cast<std::size_t>(across);
  }
  send(*half, pts, idr, sink);
}

void VideoEncoder::send(AVFrame& frame, std::int64_t pts, bool idr, const PacketSink& sink) {
  frame.pts = pts;
  frame.pict_type = idr ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  if (adaptive_ && std::exchange(is_first_, false)) refine_first_picture(frame, format_);
  check(avcodec_send_frame(codec_.get(), &frame), kSubject, "encode a frame", Direction::working);
  av_frame_remove_side_data(&frame, AV_FRAME_DATA_REGIONS_OF_INTEREST);
  drain(sink);
}

void VideoEncoder::finish(const PacketSink& sink) {
  check(avcodec_send_frame(codec_.get(), nullptr), kSubject, "finish encoding", Direction::working);
  drain(sink);
}

void VideoEncoder::drain(const PacketSink& sink) {
  for (;;) {
    const int code = avcodec_receive_packet(codec_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    check(code, kSubject, "encode a frame", Direction::working);
    sink({packet_->pts, (packet_->flags & AV_PKT_FLAG_KEY) != 0, packet_->data,
          static_cast<std::size_t>(packet_->size)});
    av_packet_unref(packet_.get());
  }
}

std::vector<std::uint8_t> VideoEncoder::parameter_sets() const {
  return {codec_->extradata, codec_->extradata + codec_->extradata_size};
}

Parameters VideoEncoder::parameters() const {
  Parameters parameters(allocated(avcodec_parameters_alloc()));
  check(avcodec_parameters_from_context(parameters.get(), codec_.get()), kSubject, "copy the stream's parameters", Direction::working);
  return parameters;
}

}  // namespace emomedia::av
