// Buffers of one size that are used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace emomedia {

// Thread-safe. Buffers keep their pool alive, so they may outlive whoever made it.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  static constexpr std::size_t kAlignment = 64;

  // At most `most_idle` buffers wait to be used again; others are freed as they come back.
  static std::shared_ptr<BufferPool> make(std::size_t bytes, std::size_t most_idle);

  // A buffer of whatever content; it comes back with its last owner.
  std::shared_ptr<std::uint8_t> take();

  // From now on every buffer is freed as it comes back.
  void close();

 private:
  struct Free {
    void operator()(std::uint8_t* samples) const noexcept;
  };
  using Buffer = std::unique_ptr<std::uint8_t, Free>;

  BufferPool(std::size_t bytes, std::size_t most_idle);
  Buffer idle_or_new();
  void give_back(Buffer buffer) noexcept;

  const std::size_t bytes_;
  std::size_t most_idle_;  // guarded by the mutex, as is the rest
  std::vector<Buffer> idle_;
  std::mutex mutex_;
};

}  // namespace emomedia
