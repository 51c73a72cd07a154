// Composites of a session by the source frames that they show: decode and compose, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "av/frame_reader.h"
#include "emomedia/error.h"
#include "emomedia/job.h"
#include "engine/packed_picture.h"
#include "engine/side_composer.h"
#include "engine/stage_clock.h"
#include "engine/take_reader.h"
#include "gpu/device.h"

namespace emomedia {

// The chunk that the same reader will be asked for next; null where there is none.
using NextChunk = std::function<const Chunk*()>;

// What a GPU does for a reader: nothing without a device.
struct GpuShare {
  std::shared_ptr<gpu::Device> device;
  std::array<bool, 2> decodes{};  // by side; composed where it is decoded
  bool holds_composites = false;  // they and the sides alone are drawn in its memory
};

class CompositeReader {
 public:
  // Borrows the takes and the pulse. `width` and `height` are those of the composites.
  CompositeReader(const std::array<Take, 2>& takes, int width, int height, Pulse& pulse,
                  const std::vector<SidePicture>& sides = {}, GpuShare gpu = {});

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
  // Why a take was decoded on the cores though the GPU should have; empty where it was not.
  const std::string& left_gpu(std::size_t side) const { return readers_[side].left_gpu(); }

 private:
  class Settled;
  struct Alone {
    std::size_t side;
    SideComposer composer;
  };

  std::uint8_t render_once(const std::array<std::int64_t, 2>& source, const MutablePicture& composite,
                           StageClock& clock);
  bool draw_half(std::size_t side, std::int64_t source, const MutablePicture& composite, StageClock& clock);
  void draw(SideComposer& composer, std::size_t side, const MutablePicture& picture);
  void draw_in_host(SideComposer& composer, std::size_t side, const MutablePicture& picture);
  void draw_by_host(SideComposer& composer, std::size_t side, const MutablePicture& picture);
  void draw_side(Alone& alone, const MutablePicture& picture);
  void wait_for(std::size_t side);
  void settle() noexcept;
  void leave_gpu(const Error& error);

  GpuShare gpu_;
  std::array<std::unique_ptr<gpu::Queue>, 2> queues_;
  std::array<bool, 2> queued_{};  // something that was not waited for
  std::array<TakeReader, 2> readers_;
  SideScratch scratch_;
  std::array<SideComposer, 2> halves_;
  std::vector<std::optional<Alone>> alone_;  // none for those that are halves
  std::array<std::int64_t, 2> source_{};  // frames' indices
  std::array<std::optional<TakeReader::Shown>, 2> shown_;  // none where the GPU that held it was left
  std::array<PackedPicture, 2> drawn_by_host_;  // on its way to the GPU, by side
};

}  // namespace emomedia
