#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "av/watch.h"
#include "emomedia/error.h"

using namespace emomedia;
using namespace std::chrono_literals;

TEST_CASE("work is done, and what it throws comes through") {
  const auto done = std::make_shared<bool>(false);
  do_watched("a.mp4", 10, [done](Pulse&) { *done = true; }, {});
  CHECK(*done);
  CHECK_THROWS_AS(do_watched("a.mp4", 10, [](Pulse&) { throw std::out_of_range("x"); }, {}), std::out_of_range);
}

TEST_CASE("work that beats may take its time, work that does not is given up") {
  const auto beating = [](Pulse& pulse) {
    for (int n = 0; n < 8; ++n) {
      std::this_thread::sleep_for(100ms);
      pulse.beat();
    }
  };
  do_watched("a.mp4", 0.5, beating, {});
  const auto let_go = std::make_shared<std::atomic<bool>>(false);
  const auto hanging = [let_go](Pulse&) {
    while (!*let_go) std::this_thread::sleep_for(1ms);
  };
  try {
    do_watched("a.mp4", 0.2, hanging, {});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::stalled);
    CHECK(error.subject() == "a.mp4");
  }
  *let_go = true;
}

TEST_CASE("the caller can end the waiting, and with it work that beats") {
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  const auto waiting = [ended](Pulse& pulse) {
    try {
      for (;;) {
        std::this_thread::sleep_for(1ms);
        pulse.beat();
      }
    } catch (const Error&) {
      *ended = true;
      throw;
    }
  };
  CHECK_THROWS_AS(do_watched("a.mp4", 10, waiting, [] { throw std::runtime_error("interrupted"); }),
                  std::runtime_error);
  for (int look = 0; look < 10000 && !*ended; ++look) std::this_thread::sleep_for(1ms);
  CHECK(*ended);
}
