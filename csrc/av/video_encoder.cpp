#include "av/video_encoder.h"

extern "C" {
#include <libavutil/hwcontext.h>
}

#include <string>
#include <utility>

#include "av/check.h"
#include "av/names.h"
#include "av/pack_p010.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

constexpr const char* kSubject = "encoder";

AVPixelFormat drawn_format(const VideoSettings& s) {
  return s.depth > 8 ? AV_PIX_FMT_YUV420P10LE : AV_PIX_FMT_YUV420P;
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

VideoEncoder::VideoEncoder(const VideoSettings& settings, const EncoderMemory& memory)
    : codec_(open_encoder(settings, memory)),
      frame_(make_frame()),
      packet_(make_packet()),
      format_(picture_format(drawn_format(settings), settings.width, settings.height)),
      nvenc_(is_nvenc(settings.encoder)),
      adaptive_(!nvenc_ && settings.preset != "ultrafast") {
  describe(*frame_, drawn_format(settings));
  if (codec_->pix_fmt != AV_PIX_FMT_P010LE) return;
  packed_ = make_frame();
  describe(*packed_, codec_->pix_fmt);
}

void VideoEncoder::describe(AVFrame& frame, AVPixelFormat pixels) const {
  frame.width = codec_->width;
  frame.height = codec_->height;
  frame.format = pixels;
}

// What the encoder still reads stays as it is: a surface is another one each time.
MutablePicture VideoEncoder::picture() {
  if (codec_->hw_frames_ctx != nullptr) {
    av_frame_unref(frame_.get());
    check_encoder(av_hwframe_get_buffer(codec_->hw_frames_ctx, frame_.get(), 0), "get a surface");
  } else {
    make_writable(*frame_);
  }
  return picture_of(*frame_, codec_->hw_frames_ctx != nullptr && format_.depth > 8);
}

MutablePicture VideoEncoder::picture_of(const AVFrame& frame, bool p010) const {
  MutablePicture picture{format_};
  for (std::size_t plane = 0; plane < 3; ++plane) {
    picture.data[plane] = frame.data[plane];
    picture.stride[plane] = frame.linesize[plane];
  }
  if (!p010) return picture;
  picture.p010 = true;
  picture.data[2] = picture.data[1] + format_.sample_bytes();
  picture.stride[2] = picture.stride[1];
  return picture;
}

void VideoEncoder::make_writable(AVFrame& frame) {
  if (frame.buf[0] == nullptr) {
    check(av_frame_get_buffer(&frame, 0), kSubject, "allocate a frame", Direction::working);
  }
  check(av_frame_make_writable(&frame), kSubject, "allocate a frame", Direction::working);
}

std::span<std::uint8_t> VideoEncoder::memory() const {
  if (codec_->hw_frames_ctx != nullptr) return {};
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

void VideoEncoder::send(AVFrame& drawn, std::int64_t pts, bool idr, const PacketSink& sink) {
  AVFrame& frame = packed_ ? *packed_ : drawn;
  if (packed_) {
    make_writable(*packed_);
    pack_p010(picture_of(drawn, false), picture_of(*packed_, true));
  }
  if (nvenc_) clear_log();  // what it says is told as the reason
  frame.pts = pts;
  frame.pict_type = idr ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  if (adaptive_ && std::exchange(is_first_, false)) refine_first_picture(frame, format_);
  check_encoder(avcodec_send_frame(codec_.get(), &frame), "encode a frame");
  av_frame_remove_side_data(&frame, AV_FRAME_DATA_REGIONS_OF_INTEREST);
  drain(sink);
}

void VideoEncoder::finish(const PacketSink& sink) {
  check_encoder(avcodec_send_frame(codec_.get(), nullptr), "finish encoding");
  drain(sink);
}

void VideoEncoder::drain(const PacketSink& sink) {
  for (;;) {
    const int code = avcodec_receive_packet(codec_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    check_encoder(code, "encode a frame");
    sink({packet_->pts, (packet_->flags & AV_PKT_FLAG_KEY) != 0, packet_->data,
          static_cast<std::size_t>(packet_->size)});
    av_packet_unref(packet_.get());
  }
}

// Whatever a GPU's encoder fails for, it is the GPU that fails.
void VideoEncoder::check_encoder(int code, const char* doing) const {
  if (code >= 0) return;
  const std::string name = codec_->codec->name;
  if (!nvenc_) check(code, name, doing, Direction::working);
  throw Error(Cause::device, name, std::string("to ") + doing, last_log().empty() ? "a failure" : last_log(),
              "see the system's log for what the driver says");
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
