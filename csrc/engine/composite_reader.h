// Composites of a session by the source frames that they show: decode and compose, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "av/frame_reader.h"
#include "emomedia/job.h"
#include "engine/stage_clock.h"
#include "kernels/color.h"
#include "kernels/compose.h"

namespace emomedia {

// One take's frames, counted through its files.
class TakeReader {
 public:
  TakeReader(const Take& take, Pulse& pulse);  // borrows both

  struct Shown {
    PictureView picture;  // borrowed until the next call
    bool damaged;
  };
  Shown at(std::int64_t index);
  void forget_damage();
  void forget();
  std::int64_t decoded_frames() const;

 private:
  void open(std::size_t number);
  PictureView checked_view(const AVFrame& frame, const TakeFile& file) const;

  const Take& take_;
  Pulse& pulse_;
  std::vector<std::int64_t> first_index_;  // of each file
  std::unique_ptr<av::FrameReader> reader_;
  std::size_t open_file_ = 0;  // which file reader_ reads
  std::int64_t decoded_before_ = 0;  // frames, by the readers of other files
};

class CompositeReader {
 public:
  // Borrows the takes and the pulse. `width` and `height` are those of the composites.
  CompositeReader(const std::array<Take, 2>& takes, int width, int height, Pulse& pulse);

  // Composes the given frames of the left and the right take into `composite` (4:2:0). Returns which
  // of them were damaged: bit 0 left, bit 1 right.
  std::uint8_t render(const std::array<std::int64_t, 2>& source, const MutablePicture& composite, StageClock& clock);

  // Composes one side's half alone; the other side's take is not opened for it. Returns whether the frame
  // was damaged.
  bool render_half(int side, std::int64_t source, const MutablePicture& composite, StageClock& clock);

  void forget_damage();
  void forget();
  std::int64_t decoded_frames() const;

 private:
  void compose_half(int side, const PictureView& source, const MutablePicture& composite);
  void compose_in_other_colors(int side, const PictureView& source, const MutablePicture& composite);
  void compose_plane(int side, const PictureView& source, int plane, std::uint8_t* output,
                     std::ptrdiff_t output_stride, int output_depth);
  std::uint8_t* half_plane(const MutablePicture& composite, int side, int plane) const;

  const std::array<Take, 2>& takes_;
  std::array<TakeReader, 2> readers_;
  std::array<std::array<PlaneFilter, 3>, 2> filters_;
  ComposeScratch scratch_;
  std::array<std::vector<std::uint16_t>, 3> full_chroma_;
  ColorScratch color_scratch_;
};

}  // namespace emomedia
