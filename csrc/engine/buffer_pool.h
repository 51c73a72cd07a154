// Buffers of one size that are used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace emomedia {

// Thread-safe. Buffers keep their pool alive, so they may outlive whoever made it.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  static constexpr std::size_t kAlignment = 64;

  // Owns the memory of one buffer.
  using Buffer = std::shared_ptr<std::uint8_t>;
  using Allocate = std::function<Buffer()>;

  // At most `most_idle` buffers wait to be used again; others are freed as they come back. `before_reuse` is called
  // for each that is.
  static std::shared_ptr<BufferPool> make(Allocate allocate, std::size_t most_idle,
                                          std::function<void()> before_reuse = {});
  // Of the host's memory, aligned to kAlignment.
  static std::shared_ptr<BufferPool> make(std::size_t bytes, std::size_t most_idle);

  // A buffer of whatever content; it comes back with its last owner.
  std::shared_ptr<std::uint8_t> take();

  // From now on every buffer is freed as it comes back.
  void close();

 private:
  BufferPool(Allocate allocate, std::size_t most_idle, std::function<void()> before_reuse);
  Buffer idle_or_none();
  void give_back(Buffer buffer) noexcept;

  const Allocate allocate_;
  const std::function<void()> before_reuse_;
  std::size_t most_idle_;  // guarded by the mutex, as is the rest
  std::vector<Buffer> idle_;
  std::mutex mutex_;
};

}  // namespace emomedia
