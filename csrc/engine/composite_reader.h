// Composites of a session by the source frames that they show: decode and compose, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "av/frame_reader.h"
#include "emomedia/job.h"
#include "engine/side_composer.h"
#include "engine/stage_clock.h"

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
  void expect(std::int64_t last, const av::WantedNext& next);  // as av::FrameReader's
  void forget_damage();
  void forget();
  av::DecodeCounts counts() const;

 private:
  std::size_t file_of(std::int64_t index) const;
  void open(std::size_t number);
  void pass_on_expected();
  PictureView checked_view(const AVFrame& frame, const TakeFile& file) const;

  const Take& take_;
  Pulse& pulse_;
  std::vector<std::int64_t> first_index_;  // of each file
  std::unique_ptr<av::FrameReader> reader_;
  std::size_t open_file_ = 0;  // which file reader_ reads
  std::optional<std::int64_t> last_;  // expected
  av::WantedNext next_;
  av::DecodeCounts counts_before_;  // by the readers of other files
};

// The chunk that the same reader will be asked for next; null where there is none.
using NextChunk = std::function<const Chunk*()>;

class CompositeReader {
 public:
  // Borrows the takes and the pulse. `width` and `height` are those of the composites.
  CompositeReader(const std::array<Take, 2>& takes, int width, int height, Pulse& pulse,
                  const std::vector<SidePicture>& sides = {});

  // Composes the given frames of the left and the right take into `composite` (4:2:0). Returns which
  // of them were damaged: bit 0 left, bit 1 right.
  std::uint8_t render(const std::array<std::int64_t, 2>& source, const MutablePicture& composite, StageClock& clock);

  // Composes one side's half alone; the other side's take is not opened for it. Returns whether the frame
  // was damaged.
  bool render_half(std::size_t side, std::int64_t source, const MutablePicture& composite, StageClock& clock);
  // Whether the side alone with that number is nothing but its half of the composite.
  bool is_half(std::size_t number) const { return !alone_[number]; }
  // Composes another one from the frames that the last composite shows.
  void render_side(std::size_t number, const MutablePicture& picture, StageClock& clock);
  // The frames of `chunk` are rendered next. Nothing that only frames after them need is decoded, unless `next`,
  // asked when the time for that has come, names the chunk that follows.
  void expect(const Chunk& chunk, const NextChunk& next);

  void forget_damage();
  void forget();
  av::DecodeCounts counts() const;

 private:
  std::array<TakeReader, 2> readers_;
  SideScratch scratch_;
  std::array<SideComposer, 2> halves_;
  struct Alone {
    std::size_t side;
    SideComposer composer;
  };
  std::vector<std::optional<Alone>> alone_;  // none for those that are halves
  std::array<PictureView, 2> shown_{};
};

}  // namespace emomedia
