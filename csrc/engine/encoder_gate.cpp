#include "engine/encoder_gate.h"

namespace emomedia {
namespace {

constexpr std::chrono::milliseconds kAgain{200};

}  // namespace

std::chrono::steady_clock::time_point EncoderGate::after(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

std::uint64_t EncoderGate::given_back() {
  const std::lock_guard lock(mutex_);
  return given_back_;
}

std::uint64_t EncoderGate::wait_for_more(std::uint64_t seen) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kAgain, [&] { return given_back_ != seen; });
  return given_back_;
}

void EncoderGate::give_back() {
  const std::lock_guard lock(mutex_);
  ++given_back_;
  changed_.notify_all();
}

}  // namespace emomedia
