#include "engine/spool.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include "emomedia/error.h"

namespace emomedia {
namespace {

constexpr std::array<char, 8> kMagic{'E', 'M', 'O', 'S', 'P', 'L', '0', '2'};

// Takes values off the front of a byte range; throws when it is too short.
class Cursor {
 public:
  Cursor(std::span<const std::uint8_t> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::span<const std::uint8_t> take(std::size_t size) {
    if (size > bytes_.size()) fail();
    const auto front = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return front;
  }

  template <typename T>
  T value() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  template <typename T>
  std::vector<T> values() {
    const auto count = value<std::uint64_t>();
    if (count > bytes_.size() / sizeof(T)) fail();
    std::vector<T> values(count);
    const auto raw = take(count * sizeof(T));
    if (count > 0) std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }

  void expect_magic() {
    if (value<std::array<char, 8>>() != kMagic) fail();
  }

  [[noreturn]] void fail() const {
    throw Error(Cause::output, path_, "a whole spool file", "a broken one", "delete it and run again");
  }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::string& path_;
};

template <typename T>
void write_values(PartWriter& file, const std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  file.write_value(static_cast<std::uint64_t>(values.size()));
  file.write(values.data(), values.size() * sizeof(T));
}

}  // namespace

SpoolWriter::SpoolWriter(const std::string& path, std::span<const std::uint8_t> parameter_sets) : file_(path) {
  file_.write_value(kMagic);
  file_.write_value(static_cast<std::uint32_t>(parameter_sets.size()));
  file_.write(parameter_sets.data(), parameter_sets.size());
}

void SpoolWriter::add_packet(std::int64_t frame, const av::EncodedPacket& packet) {
  records_.push_back({frame, file_.position(), static_cast<std::uint32_t>(packet.size), packet.idr ? 1U : 0U});
  file_.write(packet.data, packet.size);
}

std::span<float> SpoolWriter::add_measures(std::size_t count) {
  measures_.resize(measures_.size() + count);
  return std::span(measures_).last(count);
}

void SpoolWriter::commit() {
  const std::uint64_t table = file_.position();
  write_values(file_, records_);
  write_values(file_, damage_);
  write_values(file_, measures_);
  file_.write_value(table);
  file_.write_value(kMagic);
  file_.commit();
}

Spool::Spool(const std::string& path) : file_(path) {
  const std::span<const std::uint8_t> all = file_.bytes();
  Cursor front(all, path);
  front.expect_magic();
  parameter_sets_ = front.take(front.value<std::uint32_t>());
  constexpr std::size_t kEnd = sizeof(std::uint64_t) + sizeof kMagic;
  if (all.size() < kEnd) front.fail();
  Cursor end(all.last(kEnd), path);
  const auto table = end.value<std::uint64_t>();
  end.expect_magic();
  if (table > all.size()) front.fail();
  Cursor tables(all.subspan(table), path);
  records_ = tables.values<SpoolRecord>();
  damage_ = tables.values<std::uint8_t>();
  measures_ = tables.values<float>();
  for (const SpoolRecord& record : records_) {
    if (record.offset > table || record.size > table - record.offset) front.fail();
  }
}

std::span<const std::uint8_t> Spool::bytes(const SpoolRecord& record) const {
  return file_.bytes().subspan(record.offset, record.size);
}

bool is_spool(const std::string& path, std::int64_t frames, int measures,
              std::span<const std::uint8_t> parameter_sets) {
  try {
    const Spool spool(path);
    return static_cast<std::int64_t>(spool.packets().size()) == frames &&
           static_cast<std::int64_t>(spool.damage().size()) == frames &&
           static_cast<std::int64_t>(spool.measures().size()) == frames * measures &&
           std::ranges::equal(spool.parameter_sets(), parameter_sets);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace emomedia
