#include "av/watch.h"

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
  std::thread thread;
  ~Thread() {
    if (thread.joinable()) thread.detach();
  }
};

// The system may refuse a thread, for want of memory or by a limit.
std::thread started(const std::string& subject, std::function<void()> body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& error) {
    throw Error(Cause::engine, subject, "to start a thread that reads it", error.what(),
                "free memory, or raise the limit of processes");
  }
}

}  // namespace

std::int64_t Pulse::now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

double Pulse::seconds_since() const noexcept {
  const std::chrono::steady_clock::duration passed(now() - last_.load(std::memory_order_relaxed));
  return std::chrono::duration<double>(passed).count();
}

void do_watched(const std::string& subject, double stall_seconds, std::function<void(Pulse&)> work, const Idle& idle) {
  const auto watched = std::make_shared<Watched>();
  watched->work = std::move(work);
  Thread thread{started(subject, [watched] { watched->run(); })};
  std::unique_lock lock(watched->mutex);
  while (!watched->changed.wait_for(lock, kPoll, [&] { return watched->ended; })) {
    lock.unlock();
    if (idle) idle();
    lock.lock();
    if (!watched->ended && watched->pulse.seconds_since() > stall_seconds) {
      throw Error(Cause::media, subject, "a file that can be read to its end",
                  "no progress for " + std::to_string(static_cast<int>(stall_seconds)) + " s",
                  "copy the file to a local disk; if it stays so, convert it with another program");
    }
  }
  lock.unlock();
  thread.thread.join();
  if (watched->error) std::rethrow_exception(watched->error);
}

}  // namespace emomedia
