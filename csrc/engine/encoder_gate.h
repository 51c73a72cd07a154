// Waiting for a session of a GPU's encoder where there are fewer than workers want: consumer cards have a few, for all
// programs of the machine together.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "av/open_encoder.h"
#include "av/watch.h"

namespace emomedia {

class EncoderGate {
 public:
  // What a chunk needs of encoders, told to the others when it is given back: make it before them.
  class Share {
   public:
    explicit Share(EncoderGate& gate) : gate_(gate) {}
    ~Share() { gate_.give_back(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    EncoderGate& gate_;
  };

  // Calls `open`, which opens all that a chunk needs or nothing, until it is not refused for want of sessions: again
  // when one was given back here, and from time to time, since other programs give theirs back too. Returns false when
  // `stop` came first; throws what `open` throws, after so many seconds in which none was given back NoSessionLeft too.
  template <typename Open>
  bool pass(const Open& open, double patience, const std::stop_token& stop, Pulse& pulse) {
    std::uint64_t seen = given_back();
    auto until = after(patience);
    while (!stop.stop_requested()) {
      pulse.beat();
      try {
        open();
        return true;
      } catch (const av::NoSessionLeft&) {
        if (std::chrono::steady_clock::now() >= until) throw;
      }
      const std::uint64_t now = wait_for_more(seen);
      if (now != seen) until = after(patience);
      seen = now;
    }
    return false;
  }

 private:
  static std::chrono::steady_clock::time_point after(double seconds);
  std::uint64_t given_back();
  std::uint64_t wait_for_more(std::uint64_t seen);
  void give_back();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t given_back_ = 0;
};

}  // namespace emomedia
