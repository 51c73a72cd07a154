#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "emomedia/error.h"
#include "engine/spool.h"
#include "footage.h"

using namespace emomedia;

namespace {

const std::vector<std::uint8_t> kSets{1, 2, 3};

void write_spool(const std::string& path) {
  SpoolWriter writer(path, kSets);
  const std::vector<std::uint8_t> first{10, 11}, second{20};
  writer.add_packet(100, {0, true, first.data(), first.size()});
  writer.add_damage(0);
  writer.add_measures(2)[1] = 0.5F;
  writer.add_packet(101, {1, false, second.data(), second.size()});
  writer.add_damage(3);
  writer.add_measures(2)[0] = -1.0F;
  writer.commit();
}

}  // namespace

TEST_CASE("a spool gives back what was written") {
  const tests::TemporaryFolder folder;
  write_spool(folder / "a.spool");
  const Spool spool(folder / "a.spool");
  REQUIRE(spool.packets().size() == 2);
  CHECK(spool.packets()[0].frame == 100);
  CHECK(spool.packets()[0].idr == 1);
  CHECK(std::ranges::equal(spool.bytes(spool.packets()[1]), std::vector<std::uint8_t>{20}));
  CHECK(std::ranges::equal(spool.damage(), std::vector<std::uint8_t>{0, 3}));
  CHECK(std::ranges::equal(spool.measures(), std::vector<float>{0.0F, 0.5F, -1.0F, 0.0F}));
  CHECK(is_spool(folder / "a.spool", 2, 2, kSets));
  CHECK_FALSE(is_spool(folder / "a.spool", 3, 2, kSets));
  CHECK_FALSE(is_spool(folder / "a.spool", 2, 0, kSets));
  CHECK_FALSE(is_spool(folder / "a.spool", 2, 2, std::vector<std::uint8_t>{1}));
}

TEST_CASE("a spool cut short anywhere, or with any byte changed in its tables, is refused or harmless") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.spool";
  write_spool(path);
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    CHECK_FALSE(is_spool(path, 2, 2, kSets));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0xFF);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << changed;
    try {
      const Spool spool(path);
      for (const SpoolRecord& record : spool.packets()) (void)spool.bytes(record);
    } catch (const Error& error) {
      CHECK(error.subject() == path);
    }
  }
}
