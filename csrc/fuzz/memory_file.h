// Bytes as a file that lives in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace emomedia::fuzz {

class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Opening it gives a descriptor of its own, at the file's beginning.
  std::string path() const;

 private:
  int descriptor_;
};

}  // namespace emomedia::fuzz
