// A chunk's packets on disk: the unit of resuming.
//
// Layout, native little endian: magic; u32 length and bytes of the parameter sets; the packets' bytes;
// then the table: u64 packets, one record each; u64 frames, one damage byte each; u64 measures, one float
// each; u64 offset of the table; magic again. A file that lacks its end is no spool.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "av/video_encoder.h"
#include "engine/file_io.h"

namespace emomedia {

struct SpoolRecord {
  std::int64_t frame;  // composite frame that it shows
  std::uint64_t offset;
  std::uint32_t size;
  std::uint32_t idr;
};

class SpoolWriter {
 public:
  SpoolWriter(const std::string& path, std::span<const std::uint8_t> parameter_sets);

  void add_packet(std::int64_t frame, const av::EncodedPacket& packet);
  void add_damage(std::uint8_t sides) { damage_.push_back(sides); }
  // Makes room for a frame's measures, valid until the next call.
  std::span<float> add_measures(std::size_t count);
  void commit();

 private:
  PartWriter file_;
  std::vector<SpoolRecord> records_;
  std::vector<std::uint8_t> damage_;
  std::vector<float> measures_;
};

class Spool {
 public:
  // Throws Error(output) when the file is not a whole spool.
  explicit Spool(const std::string& path);

  std::span<const std::uint8_t> parameter_sets() const { return parameter_sets_; }
  std::span<const SpoolRecord> packets() const { return records_; }
  std::span<const std::uint8_t> bytes(const SpoolRecord& record) const;
  // Per frame of the chunk which sides were damaged: bit 0 left, bit 1 right.
  std::span<const std::uint8_t> damage() const { return damage_; }
  // What the observer measured, one frame of the chunk after another.
  std::span<const float> measures() const { return measures_; }

 private:
  MappedFile file_;
  std::span<const std::uint8_t> parameter_sets_;
  std::vector<SpoolRecord> records_;
  std::vector<std::uint8_t> damage_;
  std::vector<float> measures_;
};

// Whether `path` is a whole spool of that many frames, each with so many measures, and those parameter sets.
bool is_spool(const std::string& path, std::int64_t frames, int measures,
              std::span<const std::uint8_t> parameter_sets);

}  // namespace emomedia
