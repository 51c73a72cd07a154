// Pictures as the engine sees them: planes of 8-bit or 16-bit samples, borrowed, never owned here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace emomedia {

// Where the first chroma sample lies among the luma samples (H.273, chroma_sample_loc_type).
enum class Siting { left, center, top_left };

// The layout of planar Y'CbCr samples as coded, before any rotation.
struct PictureFormat {
  int width = 0;   // luma samples
  int height = 0;  // luma samples
  int depth = 8;   // bits per sample; above 8 each sample takes two bytes, little endian
  int sub_x = 2;   // luma samples per chroma sample, horizontally (1 or 2)
  int sub_y = 2;   // the same, vertically

  int plane_width(int plane) const { return plane == 0 ? width : (width + sub_x - 1) / sub_x; }
  int plane_height(int plane) const { return plane == 0 ? height : (height + sub_y - 1) / sub_y; }
  int sample_bytes() const { return depth > 8 ? 2 : 1; }

  friend bool operator==(const PictureFormat&, const PictureFormat&) = default;
};

// Three planes that somebody else owns. Strides are in bytes and may be padded.
template <typename Byte>
struct BasicPicture {
  PictureFormat format;
  std::array<Byte*, 3> data{};
  std::array<std::ptrdiff_t, 3> stride{};
  // Of 10 bits, as NVENC reads them: in the upper bits, and the samples of both chroma planes by turns in one.
  bool p010 = false;

  // Bytes from one sample of a plane to the next.
  int step(int plane) const { return format.sample_bytes() * (p010 && plane > 0 ? 2 : 1); }
};

using PictureView = BasicPicture<const std::uint8_t>;
using MutablePicture = BasicPicture<std::uint8_t>;

// How code values map to light, as libav names it; carried from the takes to the clips.
struct ColorTags {
  std::string range = "limited";  // "limited" or "full"
  std::string matrix = "bt709";
  std::string primaries = "bt709";
  std::string transfer = "bt709";

  friend bool operator==(const ColorTags&, const ColorTags&) = default;
};

// Whether a frame is two fields of different moments, and which comes first.
enum class FieldOrder { progressive, top_first, bottom_first };

// A rectangle in upright luma pixels.
struct Crop {
  int x = 0, y = 0, width = 0, height = 0;

  friend bool operator==(const Crop&, const Crop&) = default;
};

}  // namespace emomedia
