#include "av/audio_encoder.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
}

#include "av/check.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

constexpr const char* kSubject = "aac";

// Of FFmpeg's searches for quantisers: at the rates of clips it hides noise better than FFmpeg 5.1's usual one, in a third
// of the time. FFmpeg has announced another, which is to be the only one: that is used where this one is gone.
constexpr const char* kCoder = "fast";

void choose_coder(AVCodecContext& codec) {
  if (av_opt_find(codec.priv_data, kCoder, "coder", 0, 0) == nullptr) return;
  check(av_opt_set(codec.priv_data, "aac_coder", kCoder, 0), kSubject, "choose its coder", Direction::working);
}

Codec open_encoder(int sample_rate, int channels, std::int64_t bit_rate) {
  capture_log();
  const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_AAC);
  if (encoder == nullptr) {
    throw Error(Cause::unsupported, kSubject, "an FFmpeg with an AAC encoder", "one without",
                "install your distribution's full FFmpeg libraries");
  }
  Codec codec(allocated(avcodec_alloc_context3(encoder)));
  codec->sample_rate = sample_rate;
  codec->bit_rate = bit_rate;
  codec->sample_fmt = AV_SAMPLE_FMT_FLTP;
  codec->time_base = {1, sample_rate};
  codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  av_channel_layout_default(&codec->ch_layout, channels);
  choose_coder(*codec);
  check(avcodec_open2(codec.get(), encoder, nullptr), kSubject, "open the encoder", Direction::working);
  return codec;
}

}  // namespace

AudioEncoder::AudioEncoder(int sample_rate, int channels, std::int64_t bit_rate)
    : codec_(open_encoder(sample_rate, channels, bit_rate)), frame_(make_frame()), packet_(make_packet()) {
  frame_->nb_samples = codec_->frame_size;
  frame_->format = codec_->sample_fmt;
  frame_->sample_rate = sample_rate;
  check(av_channel_layout_copy(&frame_->ch_layout, &codec_->ch_layout), kSubject, "set the channels", Direction::working);
  check(av_frame_get_buffer(frame_.get(), 0), kSubject, "allocate a frame", Direction::working);
}

Parameters AudioEncoder::parameters() const {
  Parameters parameters(allocated(avcodec_parameters_alloc()));
  check(avcodec_parameters_from_context(parameters.get(), codec_.get()), kSubject, "copy the stream's parameters", Direction::working);
  return parameters;
}

std::vector<std::span<float>> AudioEncoder::channels() {
  frame_->nb_samples = codec_->frame_size;
  check(av_frame_make_writable(frame_.get()), kSubject, "allocate a frame", Direction::working);
  const auto size = static_cast<std::size_t>(codec_->frame_size);
  std::vector<std::span<float>> channels;
  for (int c = 0; c < codec_->ch_layout.nb_channels; ++c) {
    channels.emplace_back(reinterpret_cast<float*>(frame_->extended_data[c]), size);
  }
  return channels;
}

void AudioEncoder::encode(int samples, const std::function<void(AVPacket&)>& sink) {
  frame_->nb_samples = samples;
  frame_->pts = position_;
  position_ += samples;
  check(avcodec_send_frame(codec_.get(), frame_.get()), kSubject, "encode sound", Direction::working);
  drain(sink);
}

void AudioEncoder::finish(const std::function<void(AVPacket&)>& sink) {
  check(avcodec_send_frame(codec_.get(), nullptr), kSubject, "finish encoding sound", Direction::working);
  drain(sink);
}

void AudioEncoder::drain(const std::function<void(AVPacket&)>& sink) {
  for (;;) {
    const int code = avcodec_receive_packet(codec_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    check(code, kSubject, "encode sound", Direction::working);
    sink(*packet_);
    av_packet_unref(packet_.get());
  }
}

}  // namespace emomedia::av
