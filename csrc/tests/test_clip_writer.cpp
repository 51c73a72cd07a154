#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/clip_writer.h"
#include "footage.h"

using namespace emomedia;

namespace {

// Bytes of memory that this process holds, pages of mapped files among them.
std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

TEST_CASE("an actor's sound is floats, and zeros before and after it") {
  const tests::TemporaryFolder folder;
  tests::write_pcm(folder / "a.pcm", 3000);  // 0 .. 999, over and over
  const PcmReader reader({folder / "a.pcm", 16});
  std::vector<float> out(3200, 9.0F);
  reader.read(-100, out);
  for (int n = 0; n < 3200; ++n) {
    const bool inside = n >= 100 && n < 3100;
    CHECK(out[static_cast<std::size_t>(n)] == (inside ? static_cast<float>((n - 100) % 1000) / 32768.0F : 0.0F));
  }
  for (const std::int64_t first : {-5000, 3000, 9000}) {
    reader.read(first, out);
    CHECK(out == std::vector<float>(3200));
  }
}

TEST_CASE("sound that was read does not stay in memory") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.pcm";
  constexpr std::int64_t kSamples = 16 << 20;
  std::ofstream(path).put(0);
  std::filesystem::resize_file(path, kSamples * sizeof(std::int32_t));
  const PcmReader reader({path, 24});
  std::vector<float> out(1 << 16);
  reader.read(0, out);
  const std::int64_t before = resident_bytes();
  for (std::int64_t first = 0; first < kSamples; first += std::ssize(out)) reader.read(first, out);
  CHECK(resident_bytes() - before < (8 << 20));
}
