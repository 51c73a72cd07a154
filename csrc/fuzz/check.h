// What every entry demands of the code that it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace emomedia::fuzz {

// Ends the program, which the fuzzer takes for a finding, unless `holds`.
void require(bool holds, const char* what);

// Runs `body`. emomedia::Error and std::bad_alloc may come out of it and nothing else; file descriptors
// that were closed before are closed after it.
void allow_errors(const std::function<void()>& body);

// Tells the fuzzer of behaviour that the coverage of our code does not show, such as what libav found:
// inputs with a new `fact` are kept.
void note(std::string_view fact);

// Values off the back of an input, whose front can then be a whole file; zeros when it is used up.
class Tail {
 public:
  Tail(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::uint8_t byte() { return size_ > 0 ? data_[--size_] : 0; }
  std::uint16_t word() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  std::uint32_t integer() {
    const std::uint32_t high = word();
    return high << 16 | word();
  }
  std::size_t left() const { return size_; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

}  // namespace emomedia::fuzz
