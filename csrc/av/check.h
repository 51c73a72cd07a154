// The one gate for libav's return codes, and what libav last logged on this thread.
#pragma once

#include <string>

#include "av/handles.h"

namespace emomedia::av {

// Sends libav's log lines to a per-thread memory instead of the terminal. Safe to call repeatedly.
void capture_log();
// Again, from whoever had it meanwhile.
void take_log_back();

// The last warning or error that libav logged on this thread; empty if none since clear_log().
const std::string& last_log();
// The first since then and the last: a reason, and what came of it.
std::string told_log();
void clear_log();

// Throws when `code` is an error. `subject` is the file that was being read or written, `doing` what
// was being done ("open", "read a packet"). Input faults become Cause::media, a missing file
// not_found, output faults output, faults of work that is neither engine.
enum class Direction { reading, writing, working };
int check(int code, const std::string& subject, const char* doing, Direction direction = Direction::reading);

// Throws Cause::engine when an allocation gave nothing; passes the pointer through otherwise.
void* check_allocated(void* pointer);

template <typename T>
T* allocated(T* pointer) {
  return static_cast<T*>(check_allocated(pointer));
}

Packet make_packet();
Frame make_frame();

}  // namespace emomedia::av
