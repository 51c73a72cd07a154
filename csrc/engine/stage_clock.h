// How long a worker spends in each stage. One clock per worker; read after the worker has ended.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace emomedia {

enum class Stage { wait, decode, compose, encode, write };
inline constexpr std::size_t kStages = 5;
inline constexpr std::array<const char*, kStages> kStageNames{"wait", "decode", "compose", "encode", "write"};

class StageClock {
 public:
  // From now on time counts for `stage`.
  void enter(Stage stage) {
    const auto now = std::chrono::steady_clock::now();
    spent_[static_cast<std::size_t>(stage_)] += now - since_;
    stage_ = stage;
    since_ = now;
  }

  double seconds(Stage stage) const {
    return std::chrono::duration<double>(spent_[static_cast<std::size_t>(stage)]).count();
  }

 private:
  std::array<std::chrono::steady_clock::duration, kStages> spent_{};
  Stage stage_ = Stage::wait;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace emomedia
