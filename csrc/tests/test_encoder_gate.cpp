#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "engine/encoder_gate.h"

using namespace emomedia;

namespace {

constexpr int kSessions = 3;

// A card with so many sessions.
class Card {
 public:
  void open(int count) {
    const int before = taken_.fetch_add(count);
    if (before + count <= kSessions) return;
    taken_ -= count;
    throw av::NoSessionLeft(Cause::stalled, "h264_nvenc", "a session", "all taken", "wait");
  }
  void close(int count) { taken_ -= count; }
  int taken() const { return taken_; }

 private:
  std::atomic<int> taken_{0};
};

}  // namespace

TEST_CASE("workers that want more sessions than a card has take turns, and none is left out") {
  EncoderGate gate;
  Card card;
  std::atomic<int> chunks{0};
  {
    std::vector<std::jthread> workers;
    for (int worker = 0; worker < 6; ++worker) {
      workers.emplace_back([&] {
        Pulse pulse;
        for (int chunk = 0; chunk < 20; ++chunk) {
          const EncoderGate::Share share(gate);
          if (!gate.pass([&] { card.open(2); }, 60.0, {}, pulse)) return;
          std::this_thread::sleep_for(std::chrono::microseconds(200));
          card.close(2);
          ++chunks;
        }
      });
    }
  }
  CHECK(chunks == 6 * 20);
  CHECK(card.taken() == 0);
}

TEST_CASE("sessions that nobody gives back are waited for as long as was said, or until a stop") {
  EncoderGate gate;
  Card card;
  card.open(kSessions);
  Pulse pulse;
  CHECK_THROWS_AS(gate.pass([&] { card.open(1); }, 0.3, {}, pulse), av::NoSessionLeft);
  CHECK(pulse.beats() > 1);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  CHECK_FALSE(gate.pass([&] { card.open(1); }, 60.0, stop.get_token(), pulse));
}

TEST_CASE("patience begins anew whenever one is given back, by whomever") {
  EncoderGate gate;
  Card card;
  card.open(kSessions);
  std::jthread others([&] {
    for (int chunk = 0; chunk < 5; ++chunk) {
      const EncoderGate::Share share(gate);
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    card.close(1);
  });
  Pulse pulse;
  CHECK(gate.pass([&] { card.open(1); }, 1.0, {}, pulse));
}

TEST_CASE("any other error of an encoder is not waited for") {
  EncoderGate gate;
  Pulse pulse;
  int calls = 0;
  const auto broken = [&] {
    ++calls;
    throw Error(Cause::device, "h264_nvenc", "a session", "unsupported device", "another card");
  };
  CHECK_THROWS_AS(gate.pass(broken, 60.0, {}, pulse), Error);
  CHECK(calls == 1);
}
