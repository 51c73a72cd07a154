#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <span>
#include <string>

#include "emomedia/error.h"
#include "engine/file_io.h"
#include "footage.h"

using namespace emomedia;

TEST_CASE("a file appears under its name only when it is committed") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.bin";
  {
    PartWriter writer(path);
    writer.write_value(42);
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(std::filesystem::exists(part_path(path)));
  }
  CHECK_FALSE(std::filesystem::exists(part_path(path)));
  PartWriter writer(path);
  writer.write_value(42);
  writer.commit();
  CHECK(std::filesystem::file_size(path) == sizeof 42);
  CHECK_FALSE(std::filesystem::exists(part_path(path)));
  CHECK(MappedFile(path).bytes()[0] == 42);
}

TEST_CASE("a folder that is not there is an output error that names the file") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "none/a.bin";
  try {
    PartWriter writer(path);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::output);
    CHECK(error.subject() == path);
  }
}

TEST_CASE("mapping or reading a missing file says so") {
  CHECK_THROWS_AS(MappedFile("/nowhere/at/all"), Error);
  CHECK_THROWS_AS(FileReader("/nowhere/at/all"), Error);
}

TEST_CASE("parts of a file are read, and none beyond its end") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.bin";
  PartWriter writer(path);
  for (int n = 0; n < 100; ++n) writer.write_value(n);
  writer.commit();
  const FileReader file(path);
  CHECK(file.size() == 100 * sizeof(int));
  std::array<int, 3> part{};
  file.read(97 * sizeof(int), std::as_writable_bytes(std::span(part)));
  CHECK(part == std::array<int, 3>{97, 98, 99});
  CHECK_THROWS_AS(file.read(98 * sizeof(int), std::as_writable_bytes(std::span(part))), Error);
}
