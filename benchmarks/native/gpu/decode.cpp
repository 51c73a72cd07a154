extern "C" {
#include <libavutil/hwcontext.h>
#include <libavutil/hwcontext_cuda.h>
}

#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "av/check.h"
#include "av/decoder.h"
#include "av/demuxer.h"
#include "emomedia/frames.h"
#include "emomedia/gpu.h"
#include "emomedia/media.h"
#include "engine/composite_reader.h"
#include "gpu/device.h"
#include "gpu_bench.h"

namespace emomedia::bench {
namespace {

constexpr int kWidth = 1920, kHeight = 1080;

Take take_of(const std::string& path) {
  FrameTable table = scan_frames(path, 0);
  Take take;
  take.format = table.decoded.format;
  const bool lies = take.format.width > take.format.height;
  take.rotate = lies ? 90 : 0;
  const int width = lies ? take.format.height : take.format.width, height = lies ? take.format.width : take.format.height;
  const int crop_height = std::min(height, width * 9 / 8);
  take.crop = {0, (height - crop_height) / 2, width, crop_height};
  take.files.push_back({path, 0, std::move(table.pts), std::move(table.key)});
  return take;
}

// When frames count: from the moment on at which every session has given some, for some seconds.
class Window {
 public:
  Window(int sessions, double seconds) : missing_(sessions), seconds_(seconds) {}

  void has_begun() {
    if (--missing_ == 0) opened_ = Clock::now().time_since_epoch().count();
  }
  bool is_open() const { return passed() >= 0.0 && passed() < seconds_; }
  bool is_over() const { return passed() >= seconds_; }

 private:
  using Clock = std::chrono::steady_clock;

  double passed() const {
    const auto opened = opened_.load();
    if (opened == 0) return -1.0;
    return std::chrono::duration<double>(Clock::now().time_since_epoch() - Clock::duration(opened)).count();
  }

  std::atomic<int> missing_;
  std::atomic<Clock::rep> opened_{0};
  double seconds_;
};

constexpr int kFirstFrames = 10;

// The same work on several threads; the sum of what they return, and any error.
std::int64_t together(int threads, const std::function<std::int64_t(int)>& work) {
  std::atomic<std::int64_t> sum{0};
  std::exception_ptr error;
  std::mutex mutex;
  {
    std::vector<std::jthread> running;
    for (int n = 0; n < threads; ++n) {
      running.emplace_back([&, n] {
        try {
          sum += work(n);
        } catch (...) {
          const std::lock_guard lock(mutex);
          error = std::current_exception();
        }
      });
    }
  }
  if (error) std::rethrow_exception(error);
  return sum;
}

// What newer versions of libav do with each frame, unless AV_HWACCEL_FLAG_UNSAFE_OUTPUT says that it need not: a copy within
// the card. Before, as in the bundle's 5.1, frames are the decoder's own surfaces.
class CopiedFrame {
 public:
  ~CopiedFrame() { cudaFree(memory_); }

  void take(const AVFrame& frame) {
    const auto* frames = reinterpret_cast<const AVHWFramesContext*>(frame.hw_frames_ctx->data);
    const auto* device = static_cast<const AVCUDADeviceContext*>(frames->device_ctx->hwctx);
    const auto stride = static_cast<std::size_t>(frame.linesize[0]);
    const std::size_t rows = static_cast<std::size_t>(frame.height) * 3 / 2;
    if (memory_ == nullptr && cudaMalloc(&memory_, stride * rows) != cudaSuccess) throw std::runtime_error("no memory to copy to");
    auto* to = static_cast<std::uint8_t*>(memory_);
    for (int plane = 0; plane < 2; ++plane) {
      const std::size_t height = static_cast<std::size_t>(frame.height) / (plane == 0 ? 1 : 2);
      const auto code = cudaMemcpy2DAsync(to, stride, frame.data[plane], static_cast<std::size_t>(frame.linesize[plane]), stride, height,
                                          cudaMemcpyDeviceToDevice, device->stream);
      if (code != cudaSuccess) throw std::runtime_error(cudaGetErrorString(code));
      to += stride * height;
    }
  }

 private:
  void* memory_ = nullptr;
};

std::int64_t decode_in(Window& window, const std::string& file, gpu::Queue& queue, bool copied) {
  CopiedFrame copy;
  av::Demuxer demuxer(file);
  demuxer.select(0);
  av::Decoder decoder(demuxer.stream(0), file, queue.decoding());
  const av::Frame frame = av::make_frame();
  std::int64_t all = 0, frames = 0;
  while (!window.is_over()) {
    const AVPacket* packet = demuxer.read();
    decoder.send(packet);
    while (decoder.receive(*frame) == av::Decoder::Outcome::frame) {
      if (frame->format != AV_PIX_FMT_CUDA) throw std::runtime_error("the GPU does not decode " + file);
      if (copied) copy.take(*frame);
      if (++all == kFirstFrames) window.has_begun();
      if (window.is_open()) ++frames;
    }
    if (packet == nullptr) {
      decoder.flush();
      demuxer.rewind(0);
    }
  }
  return frames;
}

void print(const char* what, const std::string& file, int sessions, std::int64_t frames, double seconds, const gpu::Usage& usage) {
  std::printf("{\"what\": \"%s\", \"file\": \"%s\", \"sessions\": %d, \"frames\": %lld, \"seconds\": %.3f, \"frames_s\": %.1f, "
              "\"bytes_to_host\": %lld, \"peak_memory\": %lld}\n",
              what, file.c_str(), sessions, static_cast<long long>(frames), seconds, static_cast<double>(frames) / seconds,
              static_cast<long long>(usage.bytes_to_host), static_cast<long long>(usage.peak_memory));
}

// All frames of the file again and again, as a worker reads them; how many of a take's frames were composed.
std::int64_t compose_in(Window& window, const std::array<Take, 2>& takes, const std::shared_ptr<gpu::Device>& device) {
  Pulse pulse;
  CompositeReader reader(takes, kWidth, kHeight, pulse, {}, {device, {true, true}, true});
  StageClock clock;
  const gpu::Memory memory = device->allocate(kWidth * kHeight * 3 / 2);
  std::uint8_t* first = memory.get();
  const MutablePicture picture{{kWidth, kHeight},
                               {first, first + kWidth * kHeight, first + kWidth * kHeight * 5 / 4},
                               {kWidth, kWidth / 2, kWidth / 2}};
  const auto count = static_cast<std::int64_t>(takes[0].files[0].pts.size());
  std::int64_t all = 0, frames = 0;
  while (!window.is_over()) {
    reader.forget();
    for (std::int64_t n = 0; n < count && !window.is_over(); ++n) {
      reader.render({n, n}, picture, clock);
      if (++all == kFirstFrames) window.has_begun();
      if (window.is_open()) frames += 2;
    }
  }
  for (std::size_t side = 0; side < 2; ++side) {
    if (!reader.left_gpu(side).empty()) throw std::runtime_error(reader.left_gpu(side));
  }
  return frames;
}

}  // namespace

void measure_decoding(const std::string& file, int sessions, double seconds, bool copied) {
  const auto device = gpu::open(0);
  std::vector<std::unique_ptr<gpu::Queue>> queues;
  for (int n = 0; n < sessions; ++n) queues.push_back(device->make_queue());
  Window window(sessions, seconds);
  const std::int64_t frames =
      together(sessions, [&](int n) { return decode_in(window, file, *queues[static_cast<std::size_t>(n)], copied); });
  print(copied ? "copy" : "decode", file, sessions, frames, seconds, device->usage());
}

void measure_composing(const std::string& file, int sessions, double seconds) {
  const auto device = gpu::open(0);
  const std::array<Take, 2> takes{take_of(file), take_of(file)};
  Window window(sessions / 2, seconds);
  const std::int64_t frames = together(sessions / 2, [&](int) { return compose_in(window, takes, device); });
  print("compose", file, sessions, frames, seconds, device->usage());
}

void check_composites(const std::string& file, int frames) {
  const auto device = gpu::open(0);
  const std::array<Take, 2> takes{take_of(file), take_of(file)};
  Pulse pulse;
  CompositeReader there(takes, kWidth, kHeight, pulse, {}, {device, {true, true}});
  CompositeReader here(takes, kWidth, kHeight, pulse);
  StageClock clock;
  std::array<std::vector<std::uint8_t>, 2> made;
  int equal = 0;
  for (std::int64_t n = 0; n < frames; ++n) {
    for (std::size_t i = 0; i < 2; ++i) {
      made[i].assign(kWidth * kHeight * 3 / 2, 0);
      std::uint8_t* first = made[i].data();
      const MutablePicture picture{{kWidth, kHeight},
                                   {first, first + kWidth * kHeight, first + kWidth * kHeight * 5 / 4},
                                   {kWidth, kWidth / 2, kWidth / 2}};
      (i == 0 ? there : here).render({n, n}, picture, clock);
    }
    equal += made[0] == made[1] ? 1 : 0;
  }
  std::printf("{\"what\": \"check\", \"file\": \"%s\", \"frames\": %d, \"equal\": %d, \"left_gpu\": \"%s\"}\n", file.c_str(), frames,
              equal, there.left_gpu(0).c_str());
  for (std::size_t side = 0; side < 2; ++side) {
    if (!there.left_gpu(side).empty()) throw std::runtime_error(there.left_gpu(side));
  }
  if (equal != frames) throw std::runtime_error("composites of the GPU and of the cores differ");
}

}  // namespace emomedia::bench
