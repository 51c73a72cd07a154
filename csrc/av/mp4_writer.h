// One MP4 file: video packets copied in, AAC packets beside them, the index in front.
#pragma once

#include <cstdint>
#include <string>

#include "av/handles.h"
#include "emomedia/rational.h"

namespace emomedia::av {

class Mp4Writer {
 public:
  // Creates `path`. The movie's time scale is a common multiple of `sample_rate` and the frame rate's
  // numerator, so that both tracks' edits end exactly where the clip does.
  Mp4Writer(std::string path, const AVCodecParameters& video, Rational frame_rate, const AVCodecParameters& audio,
            int sample_rate);

  // Times in frames, from the clip's first; `dts` may be negative by the reorder depth.
  void write_video(const std::uint8_t* data, std::size_t size, std::int64_t pts, std::int64_t dts, bool key);
  // Times in samples, from the clip's first; the encoder's priming is negative.
  void write_audio(AVPacket& packet);
  // Finishes the file and closes it.
  void finish();

 private:
  void add_stream(const AVCodecParameters& parameters, AVRational time_base);
  void write(AVPacket& packet, int stream, AVRational time_base);

  std::string path_;
  Output output_;
  Packet packet_;
  AVRational frame_time_, sample_time_;
};

}  // namespace emomedia::av
