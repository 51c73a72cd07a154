// A sign of life from work that may hang: on a file system that went away, in a decoder that loops, in a driver.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "emomedia/media.h"

namespace emomedia {

// Beaten by the thread that works, read by the one that watches, who may also end the work with it.
class Pulse {
 public:
  // Throws Error(cancelled) after stop().
  void beat() {
    beats_.fetch_add(1, std::memory_order_relaxed);
    if (stopped_.load(std::memory_order_relaxed)) throw_stopped();
  }
  std::uint64_t beats() const noexcept { return beats_.load(std::memory_order_relaxed); }
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }

 private:
  [[noreturn]] static void throw_stopped();

  std::atomic<std::uint64_t> beats_{0};
  std::atomic<bool> stopped_{false};
};

// Looks at a pulse from time to time. Counts only time that it has seen pass: a process that was suspended
// in between has not stalled.
class StallWatch {
 public:
  // Seconds without a beat, as far as this has seen.
  double look(const Pulse& pulse) noexcept;

 private:
  std::uint64_t beats_ = 0;
  double seconds_ = 0.0;
  std::chrono::steady_clock::time_point last_look_ = std::chrono::steady_clock::now();
};

// How long work on one file, or one question to a driver, may go without a beat before it is given up.
inline constexpr double kStallSeconds = 60.0;

// What is said of work that was given up.
struct Stall {
  const char* expected;
  const char* remedy;
};
inline constexpr Stall kStalledFile{"a file that can be read to its end",
                                    "copy the file to a local disk; if it stays so, convert it with another program"};
inline constexpr Stall kStalledDriver{"an answer from the GPU's driver",
                                      "see what the system's log says of it, or choose --device cpu --encoder libx264"};

// Does `work` on a thread of its own and passes on what it throws. Work without a beat for
// `stall_seconds`, or still going when `idle` throws, is left to itself, until its next beat if there is one: nothing in
// this process can end a thread, so it must own all that it touches. Throws Error(stalled) about `subject`.
void do_watched(const std::string& subject, double stall_seconds, std::function<void(Pulse&)> work, const Idle& idle,
                const Stall& stall = kStalledFile);

}  // namespace emomedia
