// How long a worker spends in each stage. One clock per worker, used by its thread; read after that has ended.
#pragma once

#include <time.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace emomedia {

enum class Stage { wait, decode, compose, observe, encode, write, sound };
inline constexpr std::size_t kStages = 7;
inline constexpr std::array<const char*, kStages> kStageNames{"wait",   "decode", "compose", "observe",
                                                           "encode", "write",  "sound"};

class StageClock {
 public:
  // From now on time counts for `stage`. Takes a microsecond.
  void enter(Stage stage) {
    const auto now = std::chrono::steady_clock::now();
    const auto cpu_now = thread_cpu_time();
    spent_[static_cast<std::size_t>(stage_)] += now - since_;
    cpu_spent_[static_cast<std::size_t>(stage_)] += cpu_now - cpu_since_;
    stage_ = stage;
    since_ = now;
    cpu_since_ = cpu_now;
  }

  // Seconds that passed, and those of them in which the thread ran on a core.
  double seconds(Stage stage) const { return in_seconds(spent_[static_cast<std::size_t>(stage)]); }
  double cpu_seconds(Stage stage) const { return in_seconds(cpu_spent_[static_cast<std::size_t>(stage)]); }

 private:
  using Duration = std::chrono::steady_clock::duration;

  static double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

  static Duration thread_cpu_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  std::array<Duration, kStages> spent_{}, cpu_spent_{};
  Stage stage_ = Stage::wait;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  Duration cpu_since_{};  // a new thread's
};

}  // namespace emomedia
