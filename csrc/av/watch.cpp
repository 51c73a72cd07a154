#include "av/watch.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "emomedia/error.h"

namespace emomedia {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(50);

// Seconds between two looks that count at the most; more, and the process was not running.
constexpr double kMostBetweenLooks = 2.0;

std::thread start(const std::string& subject, std::function<void()> work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {
    throw Error(Cause::engine, subject, "to start a thread that watches it", error.what(),
                "free memory, or raise the limit of processes");
  }
}

struct Watched {
  std::function<void(Pulse&)> work;
  Pulse pulse;
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::exception_ptr error;

  void run() {
    std::exception_ptr thrown;
    try {
      work(pulse);
    } catch (...) {
      thrown = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    error = thrown;
    ended = true;
    changed.notify_all();
  }
};

// A thread that is left to itself where it was not waited for.
struct Thread {
  std::shared_ptr<Watched> watched;
  std::thread thread;
  ~Thread() {
    if (!thread.joinable()) return;
    watched->pulse.stop();
    thread.detach();
  }
};

}  // namespace

void Pulse::throw_stopped() {
  throw Error(Cause::cancelled, "reading", "to run to its end", "a request to stop", "start again");
}

double StallWatch::look(const Pulse& pulse) noexcept {
  const auto now = std::chrono::steady_clock::now();
  const double passed = std::chrono::duration<double>(now - last_look_).count();
  const std::uint64_t beats = pulse.beats();
  seconds_ = beats != beats_ ? 0.0 : seconds_ + std::min(passed, kMostBetweenLooks);
  beats_ = beats;
  last_look_ = now;
  return seconds_;
}

void do_watched(const std::string& subject, double stall_seconds, std::function<void(Pulse&)> work, const Idle& idle,
                const Stall& stall) {
  const auto watched = std::make_shared<Watched>();
  watched->work = std::move(work);
  Thread thread{watched, start(subject, [watched] { watched->run(); })};
  StallWatch watch;
  std::unique_lock lock(watched->mutex);
  while (!watched->changed.wait_for(lock, kPoll, [&] { return watched->ended; })) {
    lock.unlock();
    if (idle) idle();
    lock.lock();
    if (!watched->ended && watch.look(watched->pulse) > stall_seconds) {
      throw Error(Cause::stalled, subject, stall.expected,
                  "no progress for " + std::to_string(static_cast<int>(stall_seconds)) + " s", stall.remedy);
    }
  }
  lock.unlock();
  thread.thread.join();
  if (watched->error) std::rethrow_exception(watched->error);
}

}  // namespace emomedia
