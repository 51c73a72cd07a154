// A sign of life from work that may hang: on a file system that went away, in a decoder that loops.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "emomedia/media.h"

namespace emomedia {

// Beaten by the thread that works, read by the one that watches.
class Pulse {
 public:
  void beat() noexcept { last_.store(now(), std::memory_order_relaxed); }
  double seconds_since() const noexcept;

 private:
  static std::int64_t now() noexcept;

  std::atomic<std::int64_t> last_{now()};
};

// How long work on one file may go without a beat before it is given up.
inline constexpr double kStallSeconds = 60.0;

// Does `work` on a thread of its own and passes on what it throws. Work without a beat for
// `stall_seconds`, or still going when `idle` throws, is left to itself: nothing in this process can end
// a thread, so it must own all that it touches. Throws Error(stalled) about `subject`.
void do_watched(const std::string& subject, double stall_seconds, std::function<void(Pulse&)> work, const Idle& idle);

}  // namespace emomedia
