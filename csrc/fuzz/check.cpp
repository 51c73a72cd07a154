#include "check.h"

#include <fcntl.h>

#include <array>
#include <bitset>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "emomedia/error.h"

namespace emomedia::fuzz {
namespace {

constexpr int kDescriptors = 256;  // looked at; no entry opens so many

std::bitset<kDescriptors> open_descriptors() {
  std::bitset<kDescriptors> open;
  for (int number = 0; number < kDescriptors; ++number) {
    open[static_cast<std::size_t>(number)] = ::fcntl(number, F_GETFD) != -1;
  }
  return open;
}

// libFuzzer keeps an input that raises a byte of this section.
__attribute__((section("__libfuzzer_extra_counters"), used)) std::array<std::uint8_t, 1 << 12> facts;

}  // namespace

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

void note(std::string_view fact) {
  // FNV-1a over the small letters: numbers, names and bytes of the input vary without end.
  std::uint32_t hash = 2166136261U;
  for (const char letter : fact) {
    if (letter >= 'a' && letter <= 'z') hash = (hash ^ static_cast<std::uint8_t>(letter)) * 16777619U;
  }
  facts[hash % facts.size()] = 1;
}

void allow_errors(const std::function<void()>& body) {
  const std::bitset<kDescriptors> before = open_descriptors();
  try {
    body();
  } catch (const Error& error) {
    note(error.expected() + error.found());
  } catch (const std::bad_alloc&) {
    note("bad_alloc");
  }
  require(open_descriptors() == before, "every file descriptor is closed again");
}

}  // namespace emomedia::fuzz
