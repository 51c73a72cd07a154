// Files of the engine's own: whole or not there, read by mapping.
#pragma once

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
