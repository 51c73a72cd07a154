#include "av/decoder.h"

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/opt.h>
}

#include <limits>
#include <new>
#include <utility>

#include "av/check.h"
#include "av/compat.h"
#include "av/idr.h"
#include "av/limits.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

// Surfaces beyond those that libav asks for: five besides its references and as many as it reorders, of which there is at
// least one where B-frames are. Needed are the references, the one that is decoded, the one that is shown, and kMostBFrames.
constexpr int kExtraSurfaces = kFramesAreSurfaces ? static_cast<int>(kMostBFrames) - 4 : 0;

// Presentation times of IDR pictures that are given again, and how often at the most in a row: a frame comes out of an
// H.264 decoder no later than with the sixteenth after it.
constexpr std::int64_t kMarks = std::numeric_limits<std::int64_t>::min() + 1, kMarksEnd = kMarks + (std::int64_t{1} << 40);
constexpr int kMostGivenAgain = 20;

bool is_marked(const AVFrame& frame) { return frame.pts >= kMarks && frame.pts < kMarksEnd; }

bool decodes_on_gpu(const AVCodec& decoder) {
  for (int n = 0; const AVCodecHWConfig* config = avcodec_get_hw_config(&decoder, n); ++n) {
    const bool by_context = (config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX) != 0;
    if (by_context && config->device_type == AV_HWDEVICE_TYPE_CUDA) return true;
  }
  return false;
}

// The first of libav's for the codec; for a GPU the first that can use one, if there is one.
const AVCodec* find_decoder(AVCodecID id, bool for_gpu) {
  if (for_gpu) {
    void* at = nullptr;
    while (const AVCodec* codec = av_codec_iterate(&at)) {
      const bool known = codec->id == id && av_codec_is_decoder(codec) != 0 && av_match_list(codec->name, kDecoders, ',') != 0;
      if (known && decodes_on_gpu(*codec)) return codec;
    }
  }
  return avcodec_find_decoder(id);
}

// libav asks again without the GPU's format where the GPU refuses the stream, having logged why. Where it never asks
// with it, the log is of something else. Nothing may be thrown through libav's frames.
AVPixelFormat prefer_gpu(AVCodecContext* codec, const AVPixelFormat* offered) noexcept {
  auto& refusal = *static_cast<std::optional<std::string>*>(codec->opaque);
  for (const AVPixelFormat* format = offered; *format != AV_PIX_FMT_NONE; ++format) {
    if (*format != AV_PIX_FMT_CUDA) continue;
    clear_log();
    refusal.emplace();
    return *format;
  }
  try {
    if (refusal) refusal = told_log();
  } catch (const std::bad_alloc&) {
    refusal.emplace();
  }
  return avcodec_default_get_format(codec, offered);
}

Codec open_decoder(const AVStream& stream, const std::string& subject, AVBufferRef* device,
                   std::optional<std::string>& refusal) {
  const AVCodec* decoder = find_decoder(stream.codecpar->codec_id, device != nullptr);
  if (decoder == nullptr || av_match_list(decoder->name, kDecoders, ',') == 0) {
    throw Error(Cause::unsupported, subject, "a camera's codec that the installed FFmpeg decodes",
                avcodec_get_name(stream.codecpar->codec_id), "convert the take to H.264, HEVC or ProRes");
  }
  Codec codec(allocated(avcodec_alloc_context3(decoder)));
  check(avcodec_parameters_to_context(codec.get(), stream.codecpar), subject, "read the codec's parameters");
  codec->pkt_timebase = stream.time_base;
  codec->thread_count = 1;
  codec->flags |= AV_CODEC_FLAG_BITEXACT;  // the same pixels on any processor
  codec->max_pixels = kMaxPixels;
  if (device != nullptr) {
    codec->hw_device_ctx = allocated(av_buffer_ref(device));
    codec->get_format = prefer_gpu;
    codec->opaque = &refusal;
    codec->extra_hw_frames = kExtraSurfaces;
  }
  check(av_opt_set(codec.get(), "codec_whitelist", kDecoders, 0), subject, "limit the decoders");
  check(avcodec_open2(codec.get(), decoder, nullptr), subject, "open the decoder");
  return codec;
}

}  // namespace

Decoder::Decoder(const AVStream& stream, std::string subject, AVBufferRef* device)
    : subject_(std::move(subject)),
      refusal_(std::make_unique<std::optional<std::string>>()),
      codec_(open_decoder(stream, subject_, device, *refusal_)) {
  if (device != nullptr && codec_->codec_id == AV_CODEC_ID_H264) fields_.emplace(stream);
}

// libav sets an H.264 decoder up anew after each flush, and it takes nothing after the end of a stream but by a flush. On
// a GPU that is a new decoder of the card's, with all its memory: a tenth of a second, one after the other. So there the
// last IDR picture is given again instead, until it comes out: all that was given before has come out before it. What
// follows from another IDR picture on needs nothing from before.
bool Decoder::send(const AVPacket* packet) {
  if (packet == nullptr) {
    if (idr_ == nullptr) return give(nullptr);
    holds_ = Holds::last_frames;
    return true;
  }
  keep_idr(*packet);
  holds_ = Holds::frames;
  given_again_ = 0;
  return give(packet);
}

bool Decoder::give(const AVPacket* packet) {
  const int code = avcodec_send_packet(codec_.get(), packet);
  if (code == AVERROR(ENOMEM)) check(code, subject_, "decode");
  return code >= 0 || code == AVERROR_EOF;
}

// libav takes fields that are given without their second ones for frames of their own, and later first ones with them. Of
// parameters that change on the way the parser that looks for fields knows nothing.
void Decoder::keep_idr(const AVPacket& packet) {
  if (!fields_) return;
  fields_->is_second(packet);
  const bool other_parameters = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, nullptr) != nullptr;
  if (other_parameters || !fields_->only_frames()) return keep_none();
  const bool idr = is_idr(packet, *codec_);
  if (!idr && holds_ != Holds::frames) set_up_anew();
  if (!idr || packet.pts == AV_NOPTS_VALUE) return;
  idr_.reset(allocated(av_packet_clone(&packet)));
  idr_->dts = AV_NOPTS_VALUE;
  idr_->flags &= ~AV_PKT_FLAG_DISCARD;  // also one that an edit list hides is to come out
}

void Decoder::keep_none() {
  fields_.reset();
  idr_.reset();
  if (holds_ != Holds::frames) set_up_anew();
}

// Under a time that no other frame has.
bool Decoder::give_idr_again() {
  if (++given_again_ > kMostGivenAgain) return false;
  idr_->pts = kMarks + marks_;
  return give(idr_.get());
}

void Decoder::drain() {
  give(nullptr);
  holds_ = Holds::nothing;
}

Decoder::Outcome Decoder::receive(AVFrame& frame) {
  while (holds_ != Holds::no_frames) {
    const int code = avcodec_receive_frame(codec_.get(), &frame);
    if (code == AVERROR(ENOMEM)) check(code, subject_, "decode");
    if (code == AVERROR_EOF) return Outcome::none;
    if (code == AVERROR(EAGAIN)) {
      if (holds_ != Holds::last_frames) return Outcome::none;
      if (!give_idr_again()) drain();
      continue;
    }
    if (code < 0) return Outcome::broken;
    if (!is_marked(frame)) return Outcome::frame;
    if (holds_ == Holds::last_frames && frame.pts == kMarks + marks_) {
      holds_ = Holds::no_frames;
      ++marks_;
    }
    av_frame_unref(&frame);
  }
  return Outcome::none;
}

void Decoder::flush() {
  if (idr_ != nullptr && holds_ != Holds::nothing) {
    if (holds_ == Holds::frames) holds_ = Holds::last_frames;
    const Frame left = make_frame();
    while (receive(*left) == Outcome::frame) {}
    if (holds_ == Holds::no_frames) return;
  }
  set_up_anew();
}

// FFmpeg 7.1's HEVC decoder keeps frames that it has ready: they would come out after the seek.
void Decoder::set_up_anew() {
  avcodec_flush_buffers(codec_.get());
  const Frame left = make_frame();
  while (avcodec_receive_frame(codec_.get(), left.get()) >= 0) {}
  idr_.reset();
  holds_ = Holds::frames;
}

}  // namespace emomedia::av
