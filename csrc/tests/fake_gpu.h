// A GPU that is none: the host's memory and the kernel run by the host. What is queued is done when it is waited
// for and not before, so that a missing wait shows.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/hwcontext.h>
}

#include "av/handles.h"
#include "emomedia/error.h"
#include "gpu/compose_host.h"
#include "gpu/device.h"

namespace emomedia::tests {

class FakeGpu final : public gpu::Device, public std::enable_shared_from_this<FakeGpu> {
 public:
  // Fails with the so-manieth half that it is to compose, and from then on with whatever it is asked, as CUDA does;
  // never by default.
  explicit FakeGpu(int halves_until_failure = -1) : left_(halves_until_failure) {}

  // From now on whoever begins a queue waits until it is let go, as for a driver that hangs.
  void hang(bool hangs) {
    hangs_ = hangs;
    hangs_.notify_all();
  }
  // Does not take streams: libav finds out by itself, with a device that is none of CUDA's. False where it has no other.
  bool refuse_streams() {
    for (int type = AV_HWDEVICE_TYPE_NONE + 1; type <= AV_HWDEVICE_TYPE_VULKAN && !other_; ++type) {
      if (type != AV_HWDEVICE_TYPE_CUDA) other_.reset(av_hwdevice_ctx_alloc(static_cast<AVHWDeviceType>(type)));
    }
    return other_ != nullptr;
  }
  // Refuses the so-manieth piece of memory that is asked for, once.
  void refuse_allocation(int number) { refused_ = number; }

  int index() const override { return 0; }
  std::unique_ptr<gpu::Queue> make_queue() override {
    hangs_.wait(true);
    require_alive();
    return std::make_unique<Queue>(shared_from_this());
  }

  gpu::Memory allocate(std::size_t bytes) override {
    require_alive();
    if (refused_-- == 0) throw Error(Cause::device, "GPU 0", "to allocate memory", "out of memory", "free some");
    bytes_held_ += static_cast<std::int64_t>(bytes);
    return {new (std::align_val_t{256}) std::uint8_t[bytes], [self = shared_from_this(), bytes](std::uint8_t* held) {
              self->bytes_held_ -= static_cast<std::int64_t>(bytes);
              ::operator delete[](held, std::align_val_t{256});
            }};
  }
  gpu::Memory upload(const std::uint8_t* bytes, std::size_t size) override {
    gpu::Memory memory = allocate(size);
    std::memcpy(memory.get(), bytes, size);
    return memory;
  }
  std::shared_ptr<void> pin(void* bytes, std::size_t) override {
    if (failed_) return nullptr;
    ++pins_;
    return {bytes, [self = shared_from_this()](void*) { --self->pins_; }};
  }
  void wait() override {
    require_alive();
    ++waits_;
  }
  gpu::Usage usage() const override { return {to_host_.load(), to_device_.load(), bytes_held_.load()}; }

  int composed() const { return composed_; }  // halves
  int waits() const { return waits_; }
  int pins() const { return pins_; }
  std::int64_t bytes_held() const { return bytes_held_; }

 private:
  class Queue final : public gpu::Queue {
   public:
    explicit Queue(std::shared_ptr<FakeGpu> gpu) : gpu_(std::move(gpu)) {}
    ~Queue() override { work(); }  // a card does what it was given, whoever waits

    AVBufferRef* decoding() override { return gpu_->other_.get(); }
    std::optional<gpu::SourcePicture> locate(const AVFrame& frame, const PictureFormat& format) override {
      if (gpu_->other_) return std::nullopt;
      gpu::SourcePicture picture{format, 0, {}};
      for (std::size_t p = 0; p < 3; ++p) {
        picture.plane[p] = {frame.data[p], frame.linesize[p], format.sample_bytes()};
      }
      return picture;
    }
    void compose(const gpu::HalfLaunch& launch) override {
      gpu_->count_half();
      queued_.push_back([launch] { gpu::compose_on_host(launch); });
    }
    void copy_out(gpu::ConstRows from, gpu::Rows to, std::size_t width, std::size_t rows) override {
      gpu_->to_host_ += static_cast<std::int64_t>(width * rows);
      copy(from, to, width, rows);
    }
    void copy_in(gpu::ConstRows from, gpu::Rows to, std::size_t width, std::size_t rows) override {
      gpu_->to_device_ += static_cast<std::int64_t>(width * rows);
      copy(from, to, width, rows);
    }
    void wait() override {
      work();
      gpu_->require_alive();
    }

   private:
    void work() {
      for (const auto& each : queued_) each();
      queued_.clear();
    }
    void copy(gpu::ConstRows from, gpu::Rows to, std::size_t width, std::size_t rows) {
      gpu_->require_alive();
      queued_.push_back([=] {
        for (std::size_t y = 0; y < rows; ++y) {
          const auto row = static_cast<std::ptrdiff_t>(y);
          std::memcpy(to.data + row * to.stride, from.data + row * from.stride, width);
        }
      });
    }

    std::shared_ptr<FakeGpu> gpu_;
    std::vector<std::function<void()>> queued_;
  };

  void count_half() {
    ++composed_;
    if (left_ >= 0 && left_-- == 0) failed_ = true;
    require_alive();
  }
  void require_alive() const {
    if (failed_) throw Error(Cause::device, "GPU 0", "to do its work", "an illegal address", "see the log");
  }

  av::BufferRef other_;
  std::atomic<bool> failed_{false}, hangs_{false};
  std::atomic<int> left_, refused_{-1}, composed_{0}, waits_{0}, pins_{0};
  std::atomic<std::int64_t> to_host_{0}, to_device_{0}, bytes_held_{0};
};

}  // namespace emomedia::tests
