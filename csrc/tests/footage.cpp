#include "footage.h"

#include <stdlib.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "av/audio_encoder.h"
#include "av/demuxer.h"
#include "av/mp4_writer.h"
#include "av/video_encoder.h"
#include "emomedia/media.h"
#include "engine/gop.h"

namespace emomedia::tests {
namespace {

constexpr int kBits = 8;
constexpr int kBright = 200, kDark = 40;

void write_silence(av::AudioEncoder& audio, av::Mp4Writer& file, int samples) {
  const auto sink = [&](AVPacket& packet) { file.write_audio(packet); };
  for (int written = 0; written < samples; written += audio.frame_samples()) {
    for (const auto channel : audio.channels()) std::fill(channel.begin(), channel.end(), 0.0F);
    audio.encode(std::min(audio.frame_samples(), samples - written), sink);
  }
  audio.finish(sink);
}

}  // namespace

// Eight vertical bars, one a bit of `index`, over the whole picture: they survive any scaling.
void draw_index(const MutablePicture& picture, int index) {
  const PictureFormat& f = picture.format;
  for (int y = 0; y < f.height; ++y) {
    std::uint8_t* row = picture.data[0] + y * picture.stride[0];
    for (int x = 0; x < f.width; ++x) {
      const int bit = x * kBits / f.width;
      row[x] = static_cast<std::uint8_t>((index >> bit) & 1 ? kBright : kDark);
    }
  }
  for (int plane = 1; plane < 3; ++plane) {
    for (int y = 0; y < f.plane_height(plane); ++y) {
      std::memset(picture.data[static_cast<std::size_t>(plane)] + y * picture.stride[static_cast<std::size_t>(plane)],
                  128, static_cast<std::size_t>(f.plane_width(plane)));
    }
  }
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "emomedia-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

void write_footage(const std::string& path, const Footage& footage) {
  VideoSettings settings;
  settings.width = footage.width;
  settings.height = footage.height;
  settings.rate = footage.rate;
  settings.preset = footage.preset;
  av::VideoEncoder video(settings);
  av::AudioEncoder audio(48'000, 2, 64'000);
  av::Mp4Writer file(path, *video.parameters(), footage.rate, *audio.parameters(), 48'000);
  std::int64_t order = 0;
  const av::PacketSink sink = [&](const av::EncodedPacket& packet) {
    file.write_video(packet.data, packet.size, packet.pts, order - video.reorder_depth(), packet.idr);
    ++order;
  };
  for (int n = 0; n < footage.frames; ++n) {
    draw_index(video.picture(), footage.still ? 0 : n);
    video.encode(n, is_idr(n, footage.frames, footage.gop), sink);
  }
  video.finish(sink);
  write_silence(audio, file, static_cast<int>(footage.frames * 48'000 * footage.rate.den / footage.rate.num));
  file.finish();
}

int read_index(const PictureView& picture, int x, int width) {
  const std::uint8_t* row = picture.data[0] + (picture.format.height / 2) * picture.stride[0];
  int index = 0;
  for (int bit = 0; bit < kBits; ++bit) {
    const int middle = x + (2 * bit + 1) * width / (2 * kBits);
    if (row[middle] > (kBright + kDark) / 2) index |= 1 << bit;
  }
  return index;
}

int read_index(const AVFrame& frame) {
  PictureView view{{frame.width, frame.height}};
  view.data[0] = frame.data[0];
  view.stride[0] = frame.linesize[0];
  return read_index(view, 0, frame.width);
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void blank_samples(const std::string& path) {
  std::string bytes = bytes_of(path);
  const std::size_t box = bytes.find("mdat");
  if (box == std::string::npos) throw std::runtime_error("no samples in " + path);
  std::size_t size = 0;
  for (std::size_t i = box - 4; i < box; ++i) size = size << 8 | static_cast<std::uint8_t>(bytes[i]);
  bytes.replace(box + 4, size - 8, size - 8, '\0');
  const auto date = std::filesystem::last_write_time(path);
  std::ofstream(path, std::ios::binary) << bytes;
  std::filesystem::last_write_time(path, date);
}

void write_pcm(const std::string& path, int samples) {
  std::vector<std::int16_t> values;
  for (int n = 0; n < samples; ++n) values.push_back(static_cast<std::int16_t>(n % 1000));
  std::FILE* file = std::fopen(path.c_str(), "wb");
  std::fwrite(values.data(), sizeof(std::int16_t), values.size(), file);
  std::fclose(file);
}

std::int64_t frames_demanded(const TakeFile& file, std::int64_t first, std::int64_t last) {
  const auto pts = [&](std::int64_t index) { return file.pts[static_cast<std::size_t>(index)]; };
  std::int64_t key = first;
  while (file.key[static_cast<std::size_t>(key)] == 0) --key;
  av::Demuxer demuxer(file.path);
  demuxer.select(file.stream);
  std::int64_t order = 0, from = 0, to = 0;
  for (; const AVPacket* packet = demuxer.read(); ++order) {
    if (packet->pts == pts(key)) from = order;
    if (packet->pts >= pts(first) && packet->pts <= pts(last)) to = order;
  }
  return to - from + 1;
}

Take make_take(const std::string& path) {
  const MediaInfo info = probe_media(path);
  const VideoInfo& video = *info.streams[0].video;
  FrameTable table = scan_frames(path, 0);
  Take take;
  take.files.push_back({path, 0, std::move(table.pts), std::move(table.key)});
  take.format = video.format;
  take.crop = {0, 0, video.format.width, video.format.height};
  return take;
}

}  // namespace emomedia::tests
