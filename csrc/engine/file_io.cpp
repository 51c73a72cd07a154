#include "engine/file_io.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "emomedia/error.h"

namespace emomedia {
namespace {

[[noreturn]] void fail_output(const std::string& path, const char* doing) {
  throw Error(Cause::output, path, std::string("to ") + doing, std::strerror(errno),
              "free space, check permissions, or choose another --out");
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Descriptor open_to_read(const std::string& path) { return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)); }

// Throws where `file`, opened from `path`, is none.
std::size_t size_of(const Descriptor& file, const std::string& path) {
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    throw Error(Cause::not_found, path, "a readable file", std::strerror(errno), "run the stage that makes it again");
  }
  return static_cast<std::size_t>(status.st_size);
}

void sync_path(const std::string& path, int flags, const std::string& subject) {
  const Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file.valid() || ::fsync(file.get()) != 0) fail_output(subject, "sync to disk");
}

}  // namespace

std::string part_path(const std::string& path) {
  const std::string folder = folder_of(path);
  const auto slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return (slash == std::string::npos ? std::string() : folder) + "." + name + ".part";
}

void publish(const std::string& path) {
  const std::string part = part_path(path);
  sync_path(part, O_RDONLY, path);
  if (std::rename(part.c_str(), path.c_str()) != 0) fail_output(path, "give the file its name");
  sync_path(folder_of(path), O_RDONLY | O_DIRECTORY, path);
}

void discard_part(const std::string& path) noexcept { std::remove(part_path(path).c_str()); }

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

PartWriter::PartWriter(std::string path)
    : path_(std::move(path)), file_(std::fopen(part_path(path_).c_str(), "wbe")) {
  if (!file_) fail_output(path_, "create the file");
}

PartWriter::~PartWriter() {
  if (!file_) return;
  file_.reset();
  discard_part(path_);
}

void PartWriter::write(const void* data, std::size_t size) {
  if (size > 0 && std::fwrite(data, 1, size, file_.get()) != size) fail_output(path_, "write");
  position_ += size;
}

void PartWriter::commit() {
  if (std::fflush(file_.get()) != 0) fail_output(path_, "write");
  publish(path_);
  file_.reset();
}

FileReader::FileReader(const std::string& path) : path_(path), file_(open_to_read(path)), size_(size_of(file_, path)) {}

void FileReader::read(std::uint64_t position, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(position));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      throw Error(Cause::engine, path_, std::to_string(out.size()) + " bytes from " + std::to_string(position) + " on",
                  count < 0 ? std::strerror(errno) : "the file's end", "run the stage that makes it again");
    }
    position += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file = open_to_read(path);
  size_ = size_of(file, path);
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) {
    throw Error(Cause::engine, path, "to map the file into memory", std::strerror(errno), "use fewer --workers");
  }
  data_ = static_cast<const std::uint8_t*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

}  // namespace emomedia
