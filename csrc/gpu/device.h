// What is asked of a GPU, and nothing more: CUDA answers where there is one, a fake of it in the tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "emomedia/gpu.h"
#include "gpu/compose_launch.h"
#include "gpu/compose_plan.h"

struct AVBufferRef;
struct AVFrame;

namespace emomedia::gpu {

// Memory of a device, or the host's pages that one reaches: given back with its last owner.
using Memory = std::shared_ptr<std::uint8_t>;

// Rows of bytes.
struct Rows {
  std::uint8_t* data;
  std::ptrdiff_t stride;
};
struct ConstRows {
  const std::uint8_t* data;
  std::ptrdiff_t stride;
};

// Work that a device does in order, beside others. One thread at a time. Its functions throw Error(device).
class Queue {
 public:
  virtual ~Queue() = default;

  // What libav's decoders, and its encoders, are to work with, borrowed; null where they work on the cores.
  virtual AVBufferRef* decoding() = 0;
  // A decoded frame in the device's memory; none for one that is not there. Borrows the frame. What the
  // decoder has still to do for it comes before what is queued from now on.
  virtual std::optional<SourcePicture> locate(const AVFrame& frame, const PictureFormat& format) = 0;

  virtual void compose(const HalfLaunch& launch) = 0;
  // From the device to the host; at once where the host's pages are not pinned.
  virtual void copy_out(ConstRows from, Rows to, std::size_t width, std::size_t rows) = 0;
  virtual void copy_in(ConstRows from, Rows to, std::size_t width, std::size_t rows) = 0;
  // Until all that was queued is done.
  virtual void wait() = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual int index() const = 0;  // as CUDA counts them
  virtual std::unique_ptr<Queue> make_queue() = 0;
  virtual Memory allocate(std::size_t bytes) = 0;
  // A copy of the host's bytes.
  virtual Memory upload(const std::uint8_t* bytes, std::size_t size) = 0;
  // Until the owner goes, the pages can be copied to beside other work. They must outlive it. Null where the system
  // refuses: copies to them are slower then.
  virtual std::shared_ptr<void> pin(void* bytes, std::size_t size) = 0;
  // Until all that anybody has this device do is done.
  virtual void wait() = 0;

  virtual Usage usage() const = 0;
};

}  // namespace emomedia::gpu
