// Memory that cannot be touched beyond its ends: pages without any access lie on both sides.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace emomedia::tests {

struct Unmap {
  std::size_t size = 0;
  void operator()(std::uint8_t* pages) const { munmap(pages, size); }
};

class Guarded {
 public:
  enum class Flush { front, back };  // which end lies right at a page without access

  Guarded(std::size_t size, Flush flush) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t room = (size + page - 1) / page * page;
    void* memory = mmap(nullptr, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    pages_ = {static_cast<std::uint8_t*>(memory), Unmap{room + 2 * page}};
    if (mprotect(pages_.get() + page, room, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = pages_.get() + page + (flush == Flush::back ? room - size : 0);
  }

  std::uint8_t* data() { return data_; }
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::unique_ptr<std::uint8_t, Unmap> pages_;
  std::uint8_t* data_;
};

}  // namespace emomedia::tests
