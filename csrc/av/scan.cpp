#include <algorithm>
#include <numeric>

#include "av/demuxer.h"
#include "emomedia/error.h"
#include "emomedia/media.h"

namespace emomedia {
namespace {

struct ScannedPacket {
  std::int64_t pts;
  bool key;
};

[[noreturn]] void fail(const std::string& path, const char* expected, const std::string& found) {
  throw Error(Cause::media, path, expected, found, "rewrap the file, or copy it from the camera again");
}

}  // namespace

FrameTable scan_frames(const std::string& path, int stream) {
  av::Demuxer demuxer(path);
  if (stream < 0 || static_cast<unsigned>(stream) >= demuxer.format().nb_streams) {
    fail(path, "a video stream", "no stream " + std::to_string(stream));
  }
  demuxer.select(stream);
  std::vector<ScannedPacket> packets;
  FrameTable table;
  std::int64_t last = 0;
  while (const AVPacket* packet = demuxer.read()) {
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0) continue;
    if (packet->pts == AV_NOPTS_VALUE) fail(path, "a time on every frame", "a packet without one");
    if (packets.empty() || packet->pts > last) {
      last = packet->pts;
      table.last_duration = packet->duration;
    }
    packets.push_back({packet->pts, (packet->flags & AV_PKT_FLAG_KEY) != 0});
  }
  std::stable_sort(packets.begin(), packets.end(),
                   [](const ScannedPacket& a, const ScannedPacket& b) { return a.pts < b.pts; });
  for (const ScannedPacket& packet : packets) {
    if (!table.pts.empty() && packet.pts == table.pts.back()) {
      fail(path, "frames at different times", "two frames at tick " + std::to_string(packet.pts));
    }
    table.pts.push_back(packet.pts);
    table.key.push_back(packet.key ? 1 : 0);
  }
  return table;
}

}  // namespace emomedia
