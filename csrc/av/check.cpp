#include "av/check.h"

extern "C" {
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
}

#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <new>

#include "av/limits.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

thread_local std::string first_line, last_line;

// libav calls this: nothing may be thrown through its frames, which would not be unwound.
void remember(void* source, int level, const char* format, va_list arguments) noexcept {
  if (level > AV_LOG_WARNING) return;
  std::array<char, 512> line{};
  int print_prefix = 0;  // the prefix holds an address
  av_log_format_line2(source, level, format, arguments, line.data(), static_cast<int>(line.size()), &print_prefix);
  try {
    last_line = line.data();
    while (!last_line.empty() && last_line.back() == '\n') last_line.pop_back();
    if (first_line.empty()) first_line = last_line;
  } catch (const std::bad_alloc&) {
    last_line.clear();
  }
}

std::string text_of(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  std::string result = text.data();
  if (!last_line.empty()) result += " (" + last_line + ")";
  return result;
}

[[noreturn]] void fail_working(int code, const std::string& subject, const char* doing) {
  throw Error(Cause::engine, subject, std::string("to ") + doing, text_of(code), "use fewer --workers, or free memory");
}

[[noreturn]] void fail_reading(int code, const std::string& subject, const char* doing) {
  if (code == AVERROR(ENOENT) || code == AVERROR(EACCES) || code == AVERROR(EISDIR)) {
    throw Error(Cause::not_found, subject, "a readable media file", text_of(code),
                "correct the path or the file's permissions");
  }
  if (code == AVERROR(ENOMEM)) fail_working(code, subject, doing);
  throw Error(Cause::media, subject, std::string("to ") + doing, text_of(code),
              "check that the file plays to its end, or copy it from the camera again");
}

[[noreturn]] void fail_writing(int code, const std::string& subject, const char* doing) {
  throw Error(Cause::output, subject, std::string("to ") + doing, text_of(code),
              "free space, check permissions, or choose another --out");
}

}  // namespace

void take_log_back() { av_log_set_callback(remember); }

void capture_log() {
  static std::once_flag once;
  std::call_once(once, [] {
    take_log_back();
    av_max_alloc(kMaxAllocation);
  });
}

const std::string& last_log() { return last_line; }

std::string told_log() { return first_line == last_line ? last_line : first_line + "; " + last_line; }

void clear_log() {
  first_line.clear();
  last_line.clear();
}

int check(int code, const std::string& subject, const char* doing, Direction direction) {
  if (code >= 0) return code;
  if (direction == Direction::writing) fail_writing(code, subject, doing);
  if (direction == Direction::working) fail_working(code, subject, doing);
  fail_reading(code, subject, doing);
}

void* check_allocated(void* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

Packet make_packet() { return Packet(allocated(av_packet_alloc())); }

Frame make_frame() { return Frame(allocated(av_frame_alloc())); }

}  // namespace emomedia::av
