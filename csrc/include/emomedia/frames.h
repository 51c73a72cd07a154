// A stream of composites in order, made ahead on threads of its own, for programs that look at frames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "emomedia/job.h"
#include "emomedia/media.h"

namespace emomedia {

// A run of composite frames: per side, the take's frame that each of them shows.
struct Stretch {
  std::int64_t first_frame = 0;
  std::array<std::vector<std::int64_t>, 2> source;

  std::int64_t frame_count() const { return static_cast<std::int64_t>(source[0].size()); }
};

struct StreamSettings {
  int width = 1920;   // a multiple of 4
  int height = 1080;  // a multiple of 2
  int depth = 8;
  int ahead = 8;  // frames that may be started before the consumer asks for them
  double stall_seconds = 300.0;  // a side without progress for so long is given up
  std::shared_ptr<gpu::Device> device = nullptr;  // composites come in its memory
  std::array<bool, 2> on_gpu{};                   // by side: decoded there
};

// One composite. Its planes Y, U and V (4:2:0) lie one after the other and without padding. The buffer is
// this frame's own: the stream writes to it again only after its last owner has let go of it.
struct ComposedFrame {
  std::int64_t number = 0;
  std::shared_ptr<std::uint8_t> samples;  // aligned to 64 bytes; whole, also in a GPU's memory
  std::uint8_t damaged = 0;               // sides, bit 0 left, bit 1 right
};

// Decodes and composes on two threads, one per side, ahead of the consumer. The content of a frame depends only on the
// takes and on its stretch up to that frame: each stretch is read from the key frame before it. Thread-safe.
class FrameStream {
 public:
  FrameStream(std::array<Take, 2> takes, std::vector<Stretch> stretches, const StreamSettings& settings);
  ~FrameStream();  // closes
  FrameStream(const FrameStream&) = delete;
  FrameStream& operator=(const FrameStream&) = delete;

  PictureFormat format() const;
  // In whose memory the composites are; null where that is the host's.
  std::shared_ptr<gpu::Device> device() const;

  // The next frame; none after the last one, or once the stream is closed. Throws the error that a side met at that
  // frame, and Error(stalled) if a side hangs. Memory is bounded: settings.ahead buffers, one more than that waiting
  // for reuse, and those that the caller keeps.
  std::optional<ComposedFrame> next(const Idle& idle = {});

  // Ends the threads, each within a packet. Frames that were given out stay valid.
  void close();

 private:
  class State;
  std::shared_ptr<State> state_;  // with its threads
};

}  // namespace emomedia
