#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "av/check.h"
#include "av/compat.h"
#include "av/decoder.h"
#include "av/demuxer.h"
#include "av/names.h"
#include "av/second_fields.h"
#include "av/watch.h"
#include "emomedia/error.h"
#include "emomedia/media.h"

namespace emomedia {
namespace {

// More than any codec's reordering: H.264 and HEVC hold at most 16 frames back.
constexpr std::ptrdiff_t kMostReordered = 64;

// Packets without a frame after which a stream counts as one that does not decode.
constexpr int kMostSilentPackets = 3000;

struct ScannedPacket {
  std::int64_t pts;
  std::ptrdiff_t order;  // in the file
  bool key;
};

[[noreturn]] void fail(const std::string& path, const std::string& expected, const std::string& found) {
  throw Error(Cause::media, path, expected, found, "rewrap the file, or copy it from the camera again");
}

// Whether a file's index calls its first frame a key frame: it is to be one even where it is broken, which
// the packet's own flag, that libav takes from the frame, does not tell.
bool index_begins_with_key(const AVStream& stream) {
  const AVIndexEntry* first = avformat_index_get_entry(const_cast<AVStream*>(&stream), 0);
  return first != nullptr && (first->flags & AVINDEX_KEYFRAME) != 0;
}

// An MP4's or MOV's index names every frame. Where the file ends before the last of them it was cut off, and
// whoever is told can copy it again.
void refuse_cut_off(const av::Demuxer& demuxer, int stream, std::int64_t found) {
  const bool has_index = std::string(demuxer.format().iformat->name).starts_with("mov");
  const std::int64_t named = has_index ? avformat_index_get_entries_count(&demuxer.stream(stream)) : 0;
  if (named <= found) return;
  fail(demuxer.path(), "the " + std::to_string(named) + " frames that its index names",
       std::to_string(found) + ", for the file ends there");
}

// What a file's packets say, in their order.
struct Packets {
  std::vector<ScannedPacket> shown;
  std::vector<std::int64_t> hidden;  // times, where there are some
  bool key_first = false;            // decoding can start at the first of them, or at one hidden before it
};

Packets read_packets(av::Demuxer& demuxer, int stream, Pulse& pulse, FrameTable& table) {
  Packets packets;
  packets.key_first = index_begins_with_key(demuxer.stream(stream));
  av::SecondFields second_fields(demuxer.stream(stream));
  std::int64_t read = 0;
  std::int64_t last = 0;
  std::optional<std::int64_t> last_key;
  while (const AVPacket* packet = demuxer.read()) {
    pulse.beat();
    ++read;
    if (second_fields.is_second(*packet)) continue;
    const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    if (packets.shown.empty()) packets.key_first = packets.key_first || key;
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0) {
      ++table.hidden;
      if (packet->pts != AV_NOPTS_VALUE) packets.hidden.push_back(packet->pts);
      continue;
    }
    if (packet->pts == AV_NOPTS_VALUE) fail(demuxer.path(), "a time on every frame", "a packet without one");
    if (packets.shown.empty() || packet->pts > last) {
      last = packet->pts;
      table.last_duration = packet->duration;
    }
    if (key) last_key = packet->pts;
    if (last_key && packet->pts < *last_key) ++table.leading;
    packets.shown.push_back({packet->pts, std::ssize(packets.shown), key});
  }
  refuse_cut_off(demuxer, stream, read);
  return packets;
}

void refuse_jumps_back(const std::string& path, const std::vector<ScannedPacket>& in_time) {
  for (std::ptrdiff_t place = 0; place < std::ssize(in_time); ++place) {
    const std::ptrdiff_t order = in_time[static_cast<std::size_t>(place)].order;
    if (std::abs(order - place) <= kMostReordered) continue;
    fail(path, "times that run forward through the file",
         "times that jump back by " + std::to_string(std::abs(order - place)) + " frames near frame " +
             std::to_string(std::min(order, place)));
  }
}

// An edit list of several stretches hides frames between those that it shows. Where those are stored in another
// order than they are shown in, libav often puts the later stretches a frame or more off.
void refuse_several_stretches(const std::string& path, const Packets& packets) {
  if (std::ranges::is_sorted(packets.shown, {}, &ScannedPacket::order)) return;
  const std::int64_t first = packets.shown.front().pts;
  const std::int64_t last = packets.shown.back().pts;
  const auto between = [&](std::int64_t pts) { return first < pts && pts < last; };
  if (std::ranges::none_of(packets.hidden, between)) return;
  fail(path, "an edit list of one stretch of frames", "one that leaves out or repeats frames in the middle");
}

void fill_table(const std::string& path, const std::vector<ScannedPacket>& in_time, FrameTable& table) {
  for (const ScannedPacket& packet : in_time) {
    if (!table.pts.empty() && packet.pts == table.pts.back()) {
      fail(path, "frames at different times", "two frames at tick " + std::to_string(packet.pts));
    }
    table.pts.push_back(packet.pts);
    table.key.push_back(packet.key ? 1 : 0);
  }
}

VideoInfo describe(const AVFrame& frame) {
  const auto pixels = static_cast<AVPixelFormat>(frame.format);
  VideoInfo info;
  av::describe_pixels(pixels, frame.width, frame.height, info);
  info.tags = av::color_tags(av::number_of(frame.color_range), av::number_of(frame.colorspace),
                             av::number_of(frame.color_primaries), av::number_of(frame.color_trc),
                             pixels);
  info.siting = av::siting_name(av::number_of(frame.chroma_location));
  info.field_order = !av::is_interlaced(frame) ? "progressive" : av::is_top_field_first(frame) ? "tt" : "bb";
  return info;
}

// The first frame that comes out of the decoder, and its time.
std::int64_t decode_first(const std::string& path, int stream, Pulse& pulse, FrameTable& table) {
  av::Demuxer demuxer(path, av::Demuxer::Parameters::known);
  demuxer.select(stream);
  av::Decoder decoder(demuxer.stream(stream), path);
  const av::Frame frame = av::make_frame();
  for (int sent = 0; sent < kMostSilentPackets; ++sent) {
    const AVPacket* packet = demuxer.read();
    pulse.beat();
    decoder.send(packet);
    if (decoder.receive(*frame) == av::Decoder::Outcome::frame) {
      table.decoded = describe(*frame);
      return frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
    }
    if (packet == nullptr) break;
  }
  const std::string& said = av::last_log();
  throw Error(Cause::media, path, "frames that decode", "none" + (said.empty() ? "" : " (" + said + ")"),
              "check that the file plays, or copy it from the camera again");
}

// Time of the first frame that was coded without another, if there is one.
std::optional<std::int64_t> first_key(const Packets& packets) {
  if (packets.key_first) return packets.shown.front().pts;
  const auto found = std::ranges::find_if(packets.shown, &ScannedPacket::key);
  return found != packets.shown.end() ? std::optional(found->pts) : std::nullopt;
}

// Frames shown before the first key frame may refer to what came before the file began. Those that the
// decoder does not give are left out: the take begins with the first frame that there is.
void leave_out_undecodable(std::int64_t first_shown, std::optional<std::int64_t> key, FrameTable& table) {
  const auto end = std::ranges::lower_bound(table.pts, std::min(first_shown, key.value_or(first_shown)));
  table.undecodable = end - table.pts.begin();
  table.key.erase(table.key.begin(), table.key.begin() + table.undecodable);
  table.pts.erase(table.pts.begin(), end);
}

// Fills in all that packets tell. Returns the time of the first frame that was coded without another, if there is one.
std::optional<std::int64_t> list_frames(av::Demuxer& demuxer, int stream, Pulse& pulse, FrameTable& table) {
  Packets packets = read_packets(demuxer, stream, pulse, table);
  if (packets.shown.empty()) fail(demuxer.path(), "frames", "none");
  const std::optional<std::int64_t> key = first_key(packets);
  std::ranges::stable_sort(packets.shown, {}, &ScannedPacket::pts);
  refuse_jumps_back(demuxer.path(), packets.shown);
  refuse_several_stretches(demuxer.path(), packets);
  fill_table(demuxer.path(), packets.shown, table);
  return key;
}

FrameTable scan(const std::string& path, int stream, Pulse& pulse) {
  av::Demuxer demuxer(path, av::Demuxer::Parameters::known);
  demuxer.select(stream);
  FrameTable table;
  const std::optional<std::int64_t> key = list_frames(demuxer, stream, pulse, table);
  leave_out_undecodable(decode_first(path, stream, pulse, table), key, table);
  return table;
}

std::vector<std::int64_t> times(const std::string& path, int stream, Pulse& pulse) {
  av::Demuxer demuxer(path, av::Demuxer::Parameters::declared);
  demuxer.select(stream);
  FrameTable table;
  list_frames(demuxer, stream, pulse, table);
  return std::move(table.pts);
}

}  // namespace

FrameTable scan_frames(const std::string& path, int stream, const Idle& idle) {
  const auto table = std::make_shared<FrameTable>();
  do_watched(path, kStallSeconds, [=](Pulse& pulse) { *table = scan(path, stream, pulse); }, idle);
  return std::move(*table);
}

std::vector<std::int64_t> frame_times(const std::string& path, int stream, const Idle& idle) {
  const auto found = std::make_shared<std::vector<std::int64_t>>();
  do_watched(path, kStallSeconds, [=](Pulse& pulse) { *found = times(path, stream, pulse); }, idle);
  return std::move(*found);
}

}  // namespace emomedia
