// A media file: probe, scan, then decode and compose some frames of its first video stream, through the
// functions that Python calls.
//
// Input: the file, then from its end backwards: one byte of options, one that says which C++ allocation
// fails, one for the size above which libav's do.
#include <algorithm>
#include <array>
#include <climits>
#include <vector>

#include "allocations.h"
#include "check.h"
#include "emomedia/composites.h"
#include "emomedia/media.h"
#include "memory_file.h"

using namespace emomedia;

namespace {

constexpr int kMaxPixels = 1 << 20;        // of a picture that is decoded
constexpr int kMaxSide = 1 << 12;          // the filter of one output sample grows with it
constexpr std::size_t kMaxFrames = 1 << 9; // of a take that is decoded
constexpr int kWidth = 32, kHeight = 16;   // of composites

struct Options {
  int rotate;
  bool small_crop;
  bool from_behind;  // the last frame first: seeks
  bool mirrored, interlaced, other_colors;
  unsigned failing_allocation;
  std::size_t libav_limit;
};

Options read_options(fuzz::Tail& tail) {
  const unsigned flags = tail.byte();
  const unsigned failing = tail.byte();
  const unsigned limit = tail.byte() % 32;
  return {static_cast<int>(flags % 4) * 90, (flags & 4) != 0, (flags & 8) != 0, (flags & 16) != 0, (flags & 32) != 0,
          (flags & 64) != 0, failing,
          limit == 0 ? INT_MAX : std::size_t{1} << limit};
}

// The largest crop, or one that touches no edge.
Crop crop_of(const PictureFormat& format, const Options& options) {
  const bool swapped = options.rotate % 180 != 0;
  const int width = swapped ? format.height : format.width;
  const int height = swapped ? format.width : format.height;
  if (!options.small_crop || width < 3 || height < 3) return {0, 0, width, height};
  return {1, 1, width - 2, height - 2};
}

bool worth_decoding(const PictureFormat& format, const FrameTable& table) {
  return format.width > 0 && format.height > 0 && format.width <= kMaxPixels / format.height &&
         std::max(format.width, format.height) <= kMaxSide &&
         !table.pts.empty() && table.pts.size() <= kMaxFrames;
}

// Full range to limited, by way of a cube of two points a side.
ColorMap some_colors() {
  ColorMap map;
  map.to_output = {{{{7000, 0, 0}, {0, 7000, 0}, {0, 0, 7000}}}, {1 << 23, 1 << 23, 1 << 23}};
  map.by_cube.emplace();
  map.by_cube->to_cube = {{{{32768, 0, 0}, {0, 32768, 0}, {0, 0, 32768}}}, {}};
  map.by_cube->cube = {2, std::vector<std::int16_t>(24, 1 << 13)};
  return map;
}

Take make_take(const std::string& path, const StreamInfo& stream, FrameTable table, const Options& options) {
  Take take;
  take.format = table.decoded.format;
  take.mirrored = options.mirrored;
  if (options.interlaced) take.fields = FieldOrder::top_first;
  if (options.other_colors) take.color = some_colors();
  take.siting = stream.video->siting == "center" ? Siting::center : Siting::left;
  take.rotate = options.rotate;
  take.crop = crop_of(take.format, options);
  take.files.push_back({path, stream.index, std::move(table.pts), std::move(table.key)});
  return take;
}

void compose_some(const Take& take, const Options& options) {
  Composites composites({take, take}, kWidth, kHeight, 8);
  // Exactly sized planes, so that writing beyond any of them shows.
  std::array<std::vector<std::uint8_t>, 3> planes;
  MutablePicture picture{composites.format()};
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    picture.stride[p] = picture.format.plane_width(plane);
    planes[p].resize(static_cast<std::size_t>(picture.format.plane_width(plane) * picture.format.plane_height(plane)));
    picture.data[p] = planes[p].data();
  }
  const auto last = static_cast<std::int64_t>(take.files[0].pts.size()) - 1;
  std::array<std::int64_t, 4> order{0, std::min<std::int64_t>(1, last), last / 2, last};
  if (options.from_behind) std::reverse(order.begin(), order.end());
  for (const std::int64_t index : order) {
    const std::uint8_t damaged = composites.render({index, last - index}, picture);
    fuzz::note(damaged != 0 ? "damaged" : "whole");
  }
}

void note_streams(const MediaInfo& info) {
  fuzz::note(info.format);
  for (const StreamInfo& stream : info.streams) {
    fuzz::note(stream.type + stream.codec);
    if (stream.video) fuzz::note(stream.codec + stream.video->pixel_format);
    if (stream.audio) fuzz::note(stream.codec + stream.audio->sample_format);
  }
}

void check_table(const FrameTable& table) {
  fuzz::require(table.pts.size() == table.key.size(), "every frame has a time and a flag");
  fuzz::require(std::adjacent_find(table.pts.begin(), table.pts.end(), std::greater_equal<>()) == table.pts.end(),
                "times increase");
}

// libav's VP9 decoder (FFmpeg 5.1) does not survive an allocation of its own that fails: it frees tiles that
// it does not have.
bool survives_failures(const MediaInfo& info) {
  return std::ranges::none_of(info.streams, [](const StreamInfo& stream) { return stream.codec == "vp9"; });
}

void run(const std::string& path, const Options& options) {
  const std::size_t libav_limit = survives_failures(probe_media(path)) ? options.libav_limit : INT_MAX;
  const fuzz::FailingAllocations failing(options.failing_allocation, libav_limit);
  const MediaInfo info = probe_media(path);
  note_streams(info);
  for (const StreamInfo& stream : info.streams) {
    if (!stream.video) continue;
    FrameTable table = scan_frames(path, stream.index);
    check_table(table);
    if (!table.decoded.composable || !worth_decoding(table.decoded.format, table)) return;
    compose_some(make_take(path, stream, std::move(table), options), options);
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Tail tail(data, size);
  const Options options = read_options(tail);
  const fuzz::MemoryFile file(data, tail.left());
  fuzz::allow_errors([&] { run(file.path(), options); });
  return 0;
}
