#include "engine/buffer_pool.h"

#include <new>
#include <utility>

namespace emomedia {

void BufferPool::Free::operator()(std::uint8_t* samples) const noexcept {
  ::operator delete(samples, std::align_val_t{kAlignment});
}

BufferPool::BufferPool(std::size_t bytes, std::size_t most_idle) : bytes_(bytes), most_idle_(most_idle) {
  idle_.reserve(most_idle);  // so that giving back never throws
}

std::shared_ptr<BufferPool> BufferPool::make(std::size_t bytes, std::size_t most_idle) {
  return std::shared_ptr<BufferPool>(new BufferPool(bytes, most_idle));
}

std::shared_ptr<std::uint8_t> BufferPool::take() {
  Buffer buffer = idle_or_new();
  return {buffer.release(), [pool = shared_from_this()](std::uint8_t* samples) { pool->give_back(Buffer(samples)); }};
}

BufferPool::Buffer BufferPool::idle_or_new() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Buffer buffer = std::move(idle_.back());
      idle_.pop_back();
      return buffer;
    }
  }
  return Buffer(static_cast<std::uint8_t*>(::operator new(bytes_, std::align_val_t{kAlignment})));
}

void BufferPool::give_back(Buffer buffer) noexcept {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < most_idle_) idle_.push_back(std::move(buffer));
}

void BufferPool::close() {
  const std::lock_guard lock(mutex_);
  most_idle_ = 0;
  idle_.clear();
}

}  // namespace emomedia
