// What the engine is asked to do: plain values, made from the plan.
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

// A take: frames are counted through its files from zero.
struct Take {
  std::vector<TakeFile> files;
  PictureFormat format;  // as coded, the same in every file
  Siting siting = Siting::left;
  FieldOrder fields = FieldOrder::progressive;  // otherwise each frame is deinterlaced
  int rotate = 0;         // degrees clockwise to upright
  bool mirrored = false;  // after turning, left and right change places
  Crop crop;
  std::optional<ColorMap> color;  // into the composite's colours; none where they are the same
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
  std::string encoder = "libx264";  // libav's name: or h264_nvenc, hevc_nvenc

  friend bool operator==(const VideoSettings&, const VideoSettings&) = default;
};

// One side of each composite alone: a picture of its own beside it, made from the same decoded frames and
// encoded as the composites are. `width` and `height` are even.
struct SidePicture {
  std::size_t side = 0;  // 0 left, 1 right
  int width = 960;
  int height = 1080;
  Crop crop;  // of the side's take, upright
};

// A run of whole spans, encoded by one encoder a picture into one spool file each.
struct Chunk {
  std::int64_t first_frame = 0;
  std::vector<std::int64_t> spans;                  // frames in each span
  std::array<std::vector<std::int64_t>, 2> source;  // per side, the take's frame that each frame shows
  std::vector<std::string> spools;                  // paths by picture; whole files there are taken as they are

  std::int64_t frame_count() const { return static_cast<std::int64_t>(source[0].size()); }
};

// An output: consecutive spans, joined by packet copy into one file a picture.
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

// Whoever sees each composite before it is encoded; nobody without a function.
struct Observer {
  emomedia_observe observe = nullptr;
  void* context = nullptr;  // borrowed
  int measures = 0;         // values a frame
};

// Pictures are counted: 0 is the composite, 1 and more are the sides alone in their order here.
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
  std::vector<int> gpu_of;       // by worker: which of them it uses; others, and those with -1, use the cores alone
  std::array<bool, 2> on_gpu{};  // by side: decoded and composed there by workers that have one
  // GPUs of one model whose NVENC encodes, none with libx264: a worker's own if it is one of them, which then has the
  // composites drawn in its memory, or else the first.
  std::vector<std::shared_ptr<gpu::Device>> encoder_gpus;
  Observer observer;
  double stall_seconds = 300.0;  // a worker that does nothing for so long is given up

  std::size_t picture_count() const { return 1 + sides.size(); }
  // How picture `number` is encoded: all alike but for their size, so that they have IDR pictures at one place.
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
