#include "allocations.h"

#include "av/check.h"
#include "av/limits.h"

extern "C" {
#include <libavutil/mem.h>
}

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

// Counted over all threads: files are read on threads of their own.
std::atomic<unsigned> until_failure{0};

bool fails_now() noexcept {
  unsigned left = until_failure.load(std::memory_order_relaxed);
  while (left > 0 && !until_failure.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) {
  }
  return left == 1;
}

void* allocate(std::size_t size) noexcept {
  if (fails_now()) return nullptr;
  return std::malloc(size > 0 ? size : 1);
}

void* allocate_or_throw(std::size_t size) {
  void* memory = allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// All forms that are not over-aligned, so that none is left to another library's malloc and free.
void* operator new(std::size_t size) { return allocate_or_throw(size); }
void* operator new[](std::size_t size) { return allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace emomedia::fuzz {

FailingAllocations::FailingAllocations(unsigned nth, std::size_t libav_limit) {
  av::capture_log();  // sets the core's own limit, once
  if (libav_limit < av::kMaxAllocation) av_max_alloc(libav_limit);
  until_failure = nth;
}

FailingAllocations::~FailingAllocations() {
  until_failure = 0;
  av_max_alloc(av::kMaxAllocation);
}

}  // namespace emomedia::fuzz
