// Files of the engine's own: whole or not there, read by mapping or in parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace emomedia {

// `.<name>.part` beside `path`: where it is written until it is whole.
std::string part_path(const std::string& path);

// Syncs the file under its part name, renames it to `path`, syncs the folder. Throws Error(output).
void publish(const std::string& path);

// Removes the part, should it be there.
void discard_part(const std::string& path) noexcept;

// A sequential writer. Throws Error(output), naming the final path.
class PartWriter {
 public:
  explicit PartWriter(std::string path);
  ~PartWriter();
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;

  void write(const void* data, std::size_t size);
  template <typename T>
  void write_value(const T& value) {
    write(&value, sizeof value);
  }
  std::uint64_t position() const { return position_; }
  // Makes the file appear under its name.
  void commit();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t position_ = 0;
};

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }
  bool valid() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

// A file of which parts are read into the caller's memory, by any number of threads. Of a file that lasts as
// long as the run, what was read once does not stay mapped, and so counts in no peak.
class FileReader {
 public:
  // Throws Error(not_found).
  explicit FileReader(const std::string& path);

  std::uint64_t size() const { return size_; }
  // Fills `out` with what is at `position`. Throws Error(engine) where the file does not hold it all.
  void read(std::uint64_t position, std::span<std::byte> out) const;

 private:
  std::string path_;
  Descriptor file_;
  std::uint64_t size_;
};

// A whole file, read-only, in memory as far as it is touched. Throws Error(not_found).
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace emomedia
