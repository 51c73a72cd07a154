// The GPU by way of CUDA, and of libav's decoders on it.
extern "C" {
#include <libavutil/frame.h>
#include <libavutil/hwcontext.h>
#include <libavutil/hwcontext_cuda.h>
}

#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <string>
#include <utility>

#include "emomedia/error.h"
#include "gpu/compose_cuda.h"
#include "gpu/cuda_context.h"
#include "gpu/device.h"

namespace emomedia::gpu {
namespace {

constexpr const char* kRemedy = "end other programs on it, see docs/gpu.md for the driver it wants, or choose --device cpu";

constexpr std::int64_t kNoteEvery = 64;  // frames: asking how much memory is taken takes a driver's lock

std::string subject_of(int index) { return "GPU " + std::to_string(index); }

// One device of this process: all threads use its primary context.
class CudaDevice final : public Device, public std::enable_shared_from_this<CudaDevice> {
 public:
  explicit CudaDevice(int index) : index_(index), context_(index) {
    check(context_.code(), "begin");
    context_.keep();  // with what CUDA's runtime has loaded there
    const Entered here(*this);
    check(cudaFree(nullptr), "begin");
    check(prepare_to_compose(), "share out its memory");
    note_memory();
  }

  void check(cudaError_t code, const char* what) const {
    if (code == cudaSuccess) return;
    throw Error(Cause::device, subject_of(index_), std::string("to ") + what, cudaGetErrorString(code), kRemedy);
  }

  CUcontext context() const { return context_.get(); }

  // Its context current on this thread, or Error(device).
  class Entered : public Current {
   public:
    explicit Entered(const CudaDevice& device) : Current(device.context()) { device.check(code(), "be used"); }
  };

  int index() const override { return index_; }
  std::unique_ptr<Queue> make_queue() override;

  Memory allocate(std::size_t bytes) override {
    const Entered here(*this);
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), "allocate memory");
    note_memory();
    return {static_cast<std::uint8_t*>(memory), [self = shared_from_this()](std::uint8_t* held) {
              const Current there(self->context());
              cudaFree(held);
            }};
  }

  Memory upload(const std::uint8_t* bytes, std::size_t size) override {
    Memory memory = allocate(size);
    const Entered here(*this);
    check(cudaMemcpy(memory.get(), bytes, size, cudaMemcpyHostToDevice), "take tables");
    check(cudaStreamSynchronize(cudaStreamLegacy), "take tables");  // no queue waits for that stream
    note_to_device(size);
    return memory;
  }

  std::shared_ptr<void> pin(void* bytes, std::size_t size) override {
    const Current here(context());
    if (here.code() != cudaSuccess || cudaHostRegister(bytes, size, cudaHostRegisterDefault) != cudaSuccess) {
      cudaGetLastError();  // or the next one who asks would be told
      return nullptr;
    }
    return {bytes, [self = shared_from_this()](void* held) {
              const Current there(self->context());
              cudaHostUnregister(held);
            }};
  }

  void wait() override {
    const Entered here(*this);
    check(cudaDeviceSynchronize(), "finish its work");
  }

  Usage usage() const override { return {to_host_.load(), to_device_.load(), peak_.load()}; }

  void note_to_device(std::size_t bytes) { to_device_ += static_cast<std::int64_t>(bytes); }
  void note_to_host(std::size_t bytes) { to_host_ += static_cast<std::int64_t>(bytes); }

  void note_memory() {
    const Current here(context());
    std::size_t free = 0, total = 0;
    if (here.code() != cudaSuccess || cudaMemGetInfo(&free, &total) != cudaSuccess) return;
    const auto used = static_cast<std::int64_t>(total - free);
    std::int64_t peak = peak_.load();
    while (used > peak && !peak_.compare_exchange_weak(peak, used)) {}
  }

 private:
  const int index_;
  PrimaryContext context_;
  std::atomic<std::int64_t> to_host_{0}, to_device_{0}, peak_{0};
};

class CudaQueue final : public Queue {
  using Entered = CudaDevice::Entered;

 public:
  explicit CudaQueue(std::shared_ptr<CudaDevice> device) : device_(std::move(device)) {
    const Entered here(*device_);
    device_->check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "queue work");
    device_->check(cudaEventCreateWithFlags(&done_, cudaEventDisableTiming | cudaEventBlockingSync), "queue work");
    open_decoding();
  }
  ~CudaQueue() override {
    av_buffer_unref(&decoding_);
    const Current here(device_->context());
    if (done_ != nullptr) cudaEventDestroy(done_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  AVBufferRef* decoding() override { return decoding_; }

  std::optional<SourcePicture> locate(const AVFrame& frame, const PictureFormat& format) override {
    if (frame.format != AV_PIX_FMT_CUDA || frame.hw_frames_ctx == nullptr) return std::nullopt;
    const auto* frames = reinterpret_cast<const AVHWFramesContext*>(frame.hw_frames_ctx->data);
    const bool bytes = format.depth == 8;
    const bool known = bytes ? frames->sw_format == AV_PIX_FMT_NV12
                             : frames->sw_format == AV_PIX_FMT_P010 || frames->sw_format == AV_PIX_FMT_P016;
    if (!known || frame.width != format.width || frame.height != format.height || format.sub_x != 2 || format.sub_y != 2) {
      throw Error(Cause::device, subject_of(device_->index()), "frames as the take's", "others", kRemedy);
    }
    const int sample = format.sample_bytes();
    SourcePicture picture{format, bytes ? 0 : 16 - format.depth, {}};
    picture.plane[0] = {frame.data[0], frame.linesize[0], sample};
    picture.plane[1] = {frame.data[1], frame.linesize[1], 2 * sample};
    picture.plane[2] = {frame.data[1] + sample, frame.linesize[1], 2 * sample};
    if (located_++ % kNoteEvery == 0) device_->note_memory();
    return picture;
  }

  void compose(const HalfLaunch& launch) override {
    const Entered here(*device_);
    device_->check(compose_on_stream(launch, stream_), "compose");
  }

  void copy_out(ConstRows from, Rows to, std::size_t width, std::size_t rows) override {
    copy(from, to, width, rows, cudaMemcpyDeviceToHost);
    device_->note_to_host(width * rows);
  }
  void copy_in(ConstRows from, Rows to, std::size_t width, std::size_t rows) override {
    copy(from, to, width, rows, cudaMemcpyHostToDevice);
    device_->note_to_device(width * rows);
  }

  void wait() override {
    const Entered here(*device_);
    device_->check(cudaEventRecord(done_, stream_), "tell when it is done");
    device_->check(cudaEventSynchronize(done_), "finish its work");
  }

 private:
  void copy(ConstRows from, Rows to, std::size_t width, std::size_t rows, cudaMemcpyKind kind) {
    const Entered here(*device_);
    device_->check(cudaMemcpy2DAsync(to.data, static_cast<std::size_t>(to.stride), from.data,
                                     static_cast<std::size_t>(from.stride), width, rows, kind, stream_),
                   "copy composites");
  }

  // libav decodes in the same context and on the same stream: what it has still to do for a frame comes first.
  void open_decoding() {
    decoding_ = av_hwdevice_ctx_alloc(AV_HWDEVICE_TYPE_CUDA);
    if (decoding_ == nullptr) return;  // an FFmpeg without CUDA: its decoders run on the cores
    auto* cuda = static_cast<AVCUDADeviceContext*>(reinterpret_cast<AVHWDeviceContext*>(decoding_->data)->hwctx);
    cuda->cuda_ctx = device_->context();
    cuda->stream = stream_;
    if (av_hwdevice_ctx_init(decoding_) < 0) av_buffer_unref(&decoding_);
  }

  std::shared_ptr<CudaDevice> device_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t done_ = nullptr;
  AVBufferRef* decoding_ = nullptr;
  std::int64_t located_ = 0;
};

std::unique_ptr<Queue> CudaDevice::make_queue() { return std::make_unique<CudaQueue>(shared_from_this()); }

}  // namespace

std::shared_ptr<Device> open(int index) { return std::make_shared<CudaDevice>(index); }

}  // namespace emomedia::gpu
