// What a media file says of itself, and the list of its frames.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emomedia/frame.h"
#include "emomedia/rational.h"

namespace emomedia {

struct VideoInfo {
  PictureFormat format;
  std::string pixel_format;  // libav's name
  std::string chroma;        // "4:2:0", "4:2:2", "4:4:4", or the pixel format's name where it is none of these
  ColorTags tags;            // each may be "unspecified"
  std::string siting;        // libav's name: "left", "center", "topleft", "unspecified", …
  std::string field_order;   // "progressive", "unknown", or which field comes first
  Rational frame_rate, average_rate, sample_aspect;
  std::optional<int> rotate;  // degrees clockwise to upright; empty when it is not a right angle
  bool flipped = false;       // the display matrix mirrors the picture
  bool attached_picture = false;
};

struct AudioInfo {
  int sample_rate = 0;
  int channels = 0;
  std::string sample_format;  // libav's name
  int bits = 0;               // significant bits per sample; 0 where the codec has no such thing
  bool lossless = false;
};

struct StreamInfo {
  int index = 0;
  std::string type;   // "video", "audio", "data", "subtitle", …
  std::string codec;  // libav's name
  Rational time_base;
  std::optional<std::int64_t> start_pts;
  std::string timecode;  // SMPTE 12M text, empty where there is none
  std::optional<VideoInfo> video;
  std::optional<AudioInfo> audio;
};

struct MediaInfo {
  std::string format;
  std::vector<StreamInfo> streams;
};

// Reads headers, decodes nothing that the demuxer does not need for them.
MediaInfo probe_media(const std::string& path);

// One video stream's frames in order of presentation, as the demuxer's packets tell: edit lists
// applied, frames outside the edit left out. Reads the whole file, decodes nothing.
struct FrameTable {
  std::vector<std::int64_t> pts;  // ticks of the stream's time base, strictly increasing
  std::vector<std::uint8_t> key;  // 1 where decoding can start
  std::int64_t last_duration = 0;
};

FrameTable scan_frames(const std::string& path, int stream);

// "libavcodec 59.37.100" and so on, for the provenance of outputs.
std::vector<std::string> library_versions();

}  // namespace emomedia
