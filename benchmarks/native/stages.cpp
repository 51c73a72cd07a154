// Decode alone and encode alone: libav on one thread and nothing else, what no run can avoid.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "av/check.h"
#include "av/video_encoder.h"
#include "guarded.h"

using namespace emomedia;
using namespace emomedia::bench;

namespace {

struct Reader {
  av::Input input;
  av::Codec codec;
  int stream = 0;

  explicit Reader(const char* path) {
    AVFormatContext* opened = nullptr;
    av::check(avformat_open_input(&opened, path, nullptr, nullptr), path, "open");
    input.reset(opened);
    const AVCodec* decoder = nullptr;
    stream = av::check(av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0), path, "find a picture");
    for (unsigned n = 0; n < opened->nb_streams; ++n) {
      if (static_cast<int>(n) != stream) opened->streams[n]->discard = AVDISCARD_ALL;
    }
    codec.reset(av::allocated(avcodec_alloc_context3(decoder)));
    av::check(avcodec_parameters_to_context(codec.get(), opened->streams[stream]->codecpar), path, "read parameters");
    codec->thread_count = 1;
    av::check(avcodec_open2(codec.get(), decoder, nullptr), path, "open the decoder");
  }

  // The first frames, as long as `wanted` says so.
  template <typename Wanted>
  void read(const Wanted& wanted) {
    const av::Packet packet = av::make_packet();
    const av::Frame frame = av::make_frame();
    for (bool ended = false; !ended;) {
      ended = av_read_frame(input.get(), packet.get()) < 0;
      if (!ended && packet->stream_index != stream) {
        av_packet_unref(packet.get());
        continue;
      }
      av::check(avcodec_send_packet(codec.get(), ended ? nullptr : packet.get()), "take", "decode");
      av_packet_unref(packet.get());
      while (avcodec_receive_frame(codec.get(), frame.get()) >= 0) {
        if (!wanted(*frame)) return;
      }
    }
  }
};

// What is to be encoded: composites of tight 8-bit 4:2:0 planes that repeat after `period`.
struct Composites {
  const std::uint8_t* data;
  int width, height, period;

  void draw(int number, const MutablePicture& to) const {
    const std::size_t frame = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3 / 2;
    const std::uint8_t* from = data + frame * static_cast<std::size_t>(number % period);
    for (std::size_t p = 0; p < 3; ++p) {
      const int columns = p == 0 ? width : width / 2, rows = p == 0 ? height : height / 2;
      for (int y = 0; y < rows; ++y, from += columns) std::copy_n(from, columns, to.data[p] + y * to.stride[p]);
    }
  }
};

}  // namespace

// Decodes the first `frames` frames of a take; seconds on processors. The last one's luma goes to `luma`, tight.
BENCH_API double bench_decode(const char* path, int frames, std::uint8_t* luma) {
  return guarded<double>(std::nan(""), [&] {
    Reader reader(path);
    int left = frames;
    const double start = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    reader.read([&](const AVFrame& frame) {
      if (--left > 0) return true;
      const int row = frame.width * (frame.format == AV_PIX_FMT_YUV420P ? 1 : 2);
      for (int y = 0; y < frame.height; ++y) std::copy_n(frame.data[0] + y * frame.linesize[0], row, luma + y * row);
      return false;
    });
    const double seconds = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    if (left != 0) throw std::runtime_error(std::string(path) + ": " + std::to_string(left) + " frames are missing");
    return seconds;
  });
}

// Encodes `frames` composites by the engine's encoder, IDR pictures at `keys` (ascending); seconds on processors
// without the drawing. The stream, Annex B, goes to `output` afterwards.
BENCH_API double bench_encode(const std::uint8_t* data, int width, int height, int period, int frames,
                              const char* preset, const char* crf, const int* keys, int key_count, const char* output) {
  return guarded<double>(std::nan(""), [&] {
    VideoSettings settings;
    settings.width = width;
    settings.height = height;
    settings.preset = preset;
    settings.crf = crf;
    av::VideoEncoder encoder(settings);
    const Composites composites{data, width, height, period};
    std::vector<std::uint8_t> stream = encoder.parameter_sets();
    const auto keep = [&](const av::EncodedPacket& packet) {
      stream.insert(stream.end(), packet.data, packet.data + packet.size);
    };
    double seconds = 0;
    const auto timed = [&](const auto& work) {
      const double start = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
      work();
      seconds += cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    };
    for (int n = 0; n < frames; ++n) {
      composites.draw(n, encoder.picture());
      timed([&] { encoder.encode(n, std::binary_search(keys, keys + key_count, n), keep); });
    }
    timed([&] { encoder.finish(keep); });
    std::FILE* file = std::fopen(output, "wb");
    if (file == nullptr) throw std::runtime_error(std::string(output) + ": cannot be written");
    const bool whole = std::fwrite(stream.data(), 1, stream.size(), file) == stream.size();
    if (std::fclose(file) != 0 || !whole) throw std::runtime_error(std::string(output) + ": cannot be written");
    return seconds;
  });
}
