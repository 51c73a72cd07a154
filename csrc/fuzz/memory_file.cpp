#include "memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

namespace emomedia::fuzz {

MemoryFile::MemoryFile(const std::uint8_t* data, std::size_t size)
    : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
  require(descriptor_ >= 0, "a file in memory can be made");
  for (std::size_t done = 0; done < size;) {
    const ssize_t written = ::write(descriptor_, data + done, size - done);
    require(written > 0, "it can be written to");
    done += static_cast<std::size_t>(written);
  }
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

std::string MemoryFile::path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

}  // namespace emomedia::fuzz
