#include "av/mp4_writer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "av/check.h"

namespace emomedia::av {
namespace {

constexpr int kVideo = 0;
constexpr int kAudio = 1;

Output create(const std::string& path) {
  capture_log();
  clear_log();
  AVFormatContext* context = nullptr;
  check(avformat_alloc_output_context2(&context, nullptr, "mp4", ("file:" + path).c_str()), path, "create an MP4 file",
        Direction::writing);
  Output output(context);
  check(avio_open(&output->pb, ("file:" + path).c_str(), AVIO_FLAG_WRITE), path, "create the file",
        Direction::writing);
  output->flags |= AVFMT_FLAG_BITEXACT;
  return output;
}

// Ticks that frames and samples both begin at, so that the edit list's durations are exact. Of rates of which a
// file cannot count so many, samples': libav rounds durations up, and an edit that is too long hides nothing.
std::int64_t movie_timescale(int sample_rate, Rational frame_rate) {
  const std::int64_t common = std::lcm(static_cast<std::int64_t>(sample_rate), frame_rate.num);
  return common <= std::numeric_limits<int>::max() ? common : sample_rate;
}

}  // namespace

Mp4Writer::Mp4Writer(std::string path, const AVCodecParameters& video, Rational frame_rate,
                     const AVCodecParameters& audio, int sample_rate)
    : path_(std::move(path)),
      output_(create(path_)),
      packet_(make_packet()),
      frame_time_{static_cast<int>(frame_rate.den), static_cast<int>(frame_rate.num)},
      sample_time_{1, sample_rate} {
  add_stream(video, frame_time_);
  output_->streams[kVideo]->avg_frame_rate = av_inv_q(frame_time_);
  add_stream(audio, sample_time_);
  AVDictionary* options = nullptr;
  av_dict_set(&options, "movflags", "+faststart", 0);
  av_dict_set_int(&options, "movie_timescale", movie_timescale(sample_rate, frame_rate), 0);
  const int code = avformat_write_header(output_.get(), &options);
  av_dict_free(&options);
  check(code, path_, "write the header", Direction::writing);
}

void Mp4Writer::add_stream(const AVCodecParameters& parameters, AVRational time_base) {
  AVStream* stream = allocated(avformat_new_stream(output_.get(), nullptr));
  check(avcodec_parameters_copy(stream->codecpar, &parameters), path_, "describe a stream", Direction::writing);
  // HEVC's parameter sets stand in the header alone, which is what hvc1 says; players of Apple's play nothing else.
  stream->codecpar->codec_tag = parameters.codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
  stream->time_base = time_base;
}

void Mp4Writer::write_video(const std::uint8_t* data, std::size_t size, std::int64_t pts, std::int64_t dts, bool key) {
  check(av_new_packet(packet_.get(), static_cast<int>(size)), path_, "allocate a packet", Direction::writing);
  std::memcpy(packet_->data, data, size);
  packet_->pts = pts;
  packet_->dts = dts;
  packet_->duration = 1;
  packet_->flags = key ? AV_PKT_FLAG_KEY : 0;
  write(*packet_, kVideo, frame_time_);
}

void Mp4Writer::write_audio(AVPacket& packet) { write(packet, kAudio, sample_time_); }

void Mp4Writer::write(AVPacket& packet, int stream, AVRational time_base) {
  packet.stream_index = stream;
  av_packet_rescale_ts(&packet, time_base, output_->streams[stream]->time_base);
  check(av_interleaved_write_frame(output_.get(), &packet), path_, "write a packet", Direction::writing);
}

void Mp4Writer::finish() {
  check(av_write_trailer(output_.get()), path_, "write the index", Direction::writing);
  check(avio_closep(&output_->pb), path_, "close the file", Direction::writing);
}

}  // namespace emomedia::av
