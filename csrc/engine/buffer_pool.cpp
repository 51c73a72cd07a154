#include "engine/buffer_pool.h"

#include <new>
#include <utility>

namespace emomedia {

BufferPool::BufferPool(Allocate allocate, std::size_t most_idle, std::function<void()> before_reuse)
    : allocate_(std::move(allocate)), before_reuse_(std::move(before_reuse)), most_idle_(most_idle) {
  idle_.reserve(most_idle);  // so that giving back never throws
}

std::shared_ptr<BufferPool> BufferPool::make(Allocate allocate, std::size_t most_idle,
                                             std::function<void()> before_reuse) {
  return std::shared_ptr<BufferPool>(new BufferPool(std::move(allocate), most_idle, std::move(before_reuse)));
}

std::shared_ptr<BufferPool> BufferPool::make(std::size_t bytes, std::size_t most_idle) {
  const auto allocate = [bytes] {
    const auto free = [](std::uint8_t* samples) { ::operator delete(samples, std::align_val_t{kAlignment}); };
    return Buffer(static_cast<std::uint8_t*>(::operator new(bytes, std::align_val_t{kAlignment})), free);
  };
  return make(allocate, most_idle);
}

std::shared_ptr<std::uint8_t> BufferPool::take() {
  Buffer buffer = idle_or_none();
  if (buffer == nullptr) {
    buffer = allocate_();
  } else if (before_reuse_) {
    before_reuse_();
  }
  std::uint8_t* samples = buffer.get();
  return {samples, [pool = shared_from_this(), buffer](std::uint8_t*) mutable { pool->give_back(std::move(buffer)); }};
}

BufferPool::Buffer BufferPool::idle_or_none() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  Buffer buffer = std::move(idle_.back());
  idle_.pop_back();
  return buffer;
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
