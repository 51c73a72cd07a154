// Allocations that fail on purpose, so that the paths behind std::bad_alloc and ENOMEM run.
#pragma once

#include <cstddef>

namespace emomedia::fuzz {

// While it lives, on this thread: the nth allocation by operator new throws std::bad_alloc (counted from
// 1; 0: none does), and every allocation of libav's above `libav_limit` bytes gives nothing.
class FailingAllocations {
 public:
  FailingAllocations(unsigned nth, std::size_t libav_limit);
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;
};

}  // namespace emomedia::fuzz
