// A job for the engine: plain values, made from the plan.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emomedia/color.h"
#include "emomedia/frame.h"
#include "emomedia/observer.h"
#include "emomedia/rational.h"

namespace emomedia {

namespace gpu {
class Device;
}

// One file of a take and its frames in order of presentation.
struct TakeFile {
  std::string path;
  int stream = 0;
  std::vector<std::int64_t> pts;
  std::vector<std::uint8_t> key;
};

// A take. Its frames are numbered from zero, through all of its files.
struct Take {
  std::vector<TakeFile> files;
  PictureFormat format;  // as coded, the same in every file
  Siting siting = Siting::left;
  FieldOrder fields = FieldOrder::progressive;  // otherwise each frame is deinterlaced
  int rotate = 0;         // degrees clockwise to upright
  bool mirrored = false;  // flipped left to right, after the rotation
  Crop crop;
  std::optional<ColorMap> color;  // converts to the composite's colours; empty where they are the same
};

// How composites are made and encoded.
struct VideoSettings {
  int width = 1920;
  int height = 1080;
  int depth = 8;
  Rational rate{25, 1};
  ColorTags tags;
  std::string preset = "veryfast";
  std::string crf = "20";
  int gop = 50;  // frames from one IDR picture to the next within a span
  std::string encoder = "libx264";  // libav's name; also h264_nvenc, hevc_nvenc

  friend bool operator==(const VideoSettings&, const VideoSettings&) = default;
};

// A picture of one side alone, made beside each composite from the same decoded frame, and encoded like it. `width` and
// `height` are even.
struct SidePicture {
  std::size_t side = 0;  // 0 left, 1 right
  int width = 960;
  int height = 1080;
  Crop crop;  // of the side's take, upright
};

// A run of whole spans. Each picture of it has one encoder, which writes one spool file.
struct Chunk {
  std::int64_t first_frame = 0;
  std::vector<std::int64_t> spans;                  // frames in each span
  std::array<std::vector<std::int64_t>, 2> source;  // per side, the take's frame that each frame shows
  std::vector<std::string> spools;                  // paths by picture; complete files there are used as they are

  std::int64_t frame_count() const { return static_cast<std::int64_t>(source[0].size()); }
};

// An output: consecutive spans, joined by packet copy into one file per picture.
struct Clip {
  std::vector<std::string> paths;  // by picture
  std::int64_t first_frame = 0;
  std::int64_t frame_count = 0;
  std::int64_t first_sample = 0;
  std::int64_t sample_count = 0;
  std::vector<int> chunks;  // indices into Job::chunks, in order
};

// A raw little-endian mono file on the session clock, 48 kHz: int16, or int32 holding 24-bit values.
struct PcmSource {
  std::string path;
  int bits = 16;
};

// A function that sees each composite before it is encoded; none if `observe` is null.
struct Observer {
  emomedia_observe observe = nullptr;
  void* context = nullptr;  // borrowed
  int measures = 0;         // values per frame
};

// Pictures are numbered: 0 is the composite, 1 and up are the entries of `sides`.
struct Job {
  std::array<Take, 2> takes;
  std::array<PcmSource, 2> sound;
  VideoSettings video;  // of the composite
  std::vector<SidePicture> sides;
  std::int64_t audio_bit_rate = 192'000;  // of a composite's stereo; a side's mono has half of it
  std::vector<Chunk> chunks;
  std::vector<Clip> clips;
  int workers = 1;
  std::vector<std::shared_ptr<gpu::Device>> gpus;
  std::vector<int> gpu_of;       // by worker: an index into `gpus`; with -1 or no entry it uses the cores alone
  std::array<bool, 2> on_gpu{};  // by side: whether workers with a GPU decode and compose it there
  // GPUs of one model whose NVENC encodes; empty with libx264. A worker uses its own if that is one of them, and then
  // has the composites drawn in its memory; else the first.
  std::vector<std::shared_ptr<gpu::Device>> encoder_gpus;
  Observer observer;
  double stall_seconds = 300.0;  // a worker without progress for so long is given up

  std::size_t picture_count() const { return 1 + sides.size(); }
  // How picture `number` is encoded. Pictures differ in size alone, so that their IDR pictures are at the same frames.
  VideoSettings settings(std::size_t number) const {
    VideoSettings own = video;
    if (number > 0) {
      own.width = sides[number - 1].width;
      own.height = sides[number - 1].height;
    }
    return own;
  }
};

}  // namespace emomedia
