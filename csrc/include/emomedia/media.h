// What a media file says of itself, and the list of its frames.
#pragma once

#include <cstdint>
#include <functional>
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
  bool composable = false;   // whether the core composes such pixels
  bool alpha = false;
  Rational frame_rate, average_rate, sample_aspect;
  std::optional<int> rotate;  // degrees clockwise to upright; empty when it is not a right angle
  bool mirrored = false;      // after turning, the display matrix has left and right change places
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

// Called now and then on the calling thread; what it throws ends the work.
using Idle = std::function<void()>;

// Reads headers, decodes nothing that the demuxer does not need for them. Throws Error(media) for a file
// that cannot be read, Error(stalled) for one of which nothing comes for a minute.
MediaInfo probe_media(const std::string& path, const Idle& idle = {});

// One video stream's frames in order of presentation, as the demuxer's packets tell: edit lists
// applied, frames outside the edit left out.
struct FrameTable {
  std::vector<std::int64_t> pts;  // ticks of the stream's time base, strictly increasing
  std::vector<std::uint8_t> key;  // 1 where decoding can start
  std::int64_t last_duration = 0;
  std::int64_t hidden = 0;       // frames that an edit list leaves out
  std::int64_t leading = 0;      // frames shown before the key frame that they are decoded after: open GOPs
  std::int64_t undecodable = 0;  // frames before the first key frame that no decoder can show, left out
  VideoInfo decoded;  // what the first frame that comes out of the decoder says: format, pixels, colours, fields
};

// Reads the whole file and decodes its first frame. Errors as probe_media(); also for times that jump back.
FrameTable scan_frames(const std::string& path, int stream, const Idle& idle = {});

// The frames' times alone, of an MP4 or MOV, whose header declares its streams: nothing is decoded. As in a
// FrameTable, errors too, but for frames that do not decode.
std::vector<std::int64_t> frame_times(const std::string& path, int stream, const Idle& idle = {});

// "libavcodec 59.37.100" and so on, for the provenance of outputs.
std::vector<std::string> library_versions();

}  // namespace emomedia
