// What all functions of the C interface share: no exception leaves them, and time is counted on processors.
#pragma once

#include <ctime>

#include <exception>
#include <string>

#define BENCH_API extern "C" __attribute__((visibility("default")))

namespace emomedia::bench {

// What the last call that failed on this thread says.
std::string& last_error();

template <typename Result, typename Work>
Result guarded(Result failed, const Work& work) noexcept {
  try {
    return work();
  } catch (const std::exception& error) {
    last_error() = error.what();
  }
  return failed;
}

// Seconds that this thread, or all threads of the process, spent on a processor.
inline double cpu_seconds(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace emomedia::bench
