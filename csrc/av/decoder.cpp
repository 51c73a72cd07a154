#include "av/decoder.h"

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/opt.h>
}

#include <utility>

#include "av/check.h"
#include "av/limits.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

Codec open_decoder(const AVStream& stream, const std::string& subject) {
  const AVCodec* decoder = avcodec_find_decoder(stream.codecpar->codec_id);
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
  check(av_opt_set(codec.get(), "codec_whitelist", kDecoders, 0), subject, "limit the decoders");
  check(avcodec_open2(codec.get(), decoder, nullptr), subject, "open the decoder");
  return codec;
}

}  // namespace

Decoder::Decoder(const AVStream& stream, std::string subject)
    : subject_(std::move(subject)), codec_(open_decoder(stream, subject_)) {}

bool Decoder::send(const AVPacket* packet) {
  const int code = avcodec_send_packet(codec_.get(), packet);
  if (code == AVERROR(ENOMEM)) check(code, subject_, "decode");
  return code >= 0 || code == AVERROR_EOF;
}

Decoder::Outcome Decoder::receive(AVFrame& frame) {
  const int code = avcodec_receive_frame(codec_.get(), &frame);
  if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return Outcome::none;
  if (code == AVERROR(ENOMEM)) check(code, subject_, "decode");
  return code >= 0 ? Outcome::frame : Outcome::broken;
}

// FFmpeg 7.1's HEVC decoder keeps frames that it has ready: they would come out after the seek.
void Decoder::flush() {
  avcodec_flush_buffers(codec_.get());
  const Frame left = make_frame();
  while (avcodec_receive_frame(codec_.get(), left.get()) >= 0) {}
}

}  // namespace emomedia::av
