// Scratch memory that begins at a cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace emomedia {

inline constexpr std::size_t kCacheLine = 64;  // bytes

class AlignedMemory {
 public:
  // Makes sure of at least `size` bytes; new ones are zero, old ones are lost.
  void reserve(std::size_t size) {
    if (size <= size_) return;
    memory_.reset(static_cast<std::uint8_t*>(::operator new(size, std::align_val_t{kCacheLine})));
    std::memset(memory_.get(), 0, size);
    size_ = size;
  }
  std::uint8_t* data() const { return memory_.get(); }

 private:
  struct Delete {
    void operator()(std::uint8_t* memory) const { ::operator delete(memory, std::align_val_t{kCacheLine}); }
  };
  std::unique_ptr<std::uint8_t, Delete> memory_;
  std::size_t size_ = 0;
};

}  // namespace emomedia
