#include "engine/composite_reader.h"

#include <utility>

#include "emomedia/error.h"

namespace emomedia {
namespace {

// The part of a composite that shows a side.
MutablePicture half_of(const MutablePicture& composite, std::size_t side) {
  MutablePicture half = composite;
  half.format.width = composite.format.width / 2;
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const int across = half.format.plane_width(static_cast<int>(plane)) * half.step(static_cast<int>(plane));
    half.data[plane] += side * static_cast<std::size_t>(across);
  }
  return half;
}

std::array<std::unique_ptr<gpu::Queue>, 2> queues_of(const GpuShare& gpu) {
  if (!gpu.device) return {};
  return {gpu.device->make_queue(), gpu.device->make_queue()};
}

gpu::Queue* decoding_queue(const GpuShare& gpu, const std::array<std::unique_ptr<gpu::Queue>, 2>& queues, std::size_t side) {
  return gpu.decodes[side] ? queues[side].get() : nullptr;
}

}  // namespace

// However its block is left, nothing stays queued behind it.
class CompositeReader::Settled {
 public:
  explicit Settled(CompositeReader& reader) : reader_(reader) {}
  ~Settled() { reader_.settle(); }
  Settled(const Settled&) = delete;
  Settled& operator=(const Settled&) = delete;

 private:
  CompositeReader& reader_;
};

CompositeReader::CompositeReader(const std::array<Take, 2>& takes, int width, int height, Pulse& pulse,
                                 const std::vector<SidePicture>& sides, GpuShare gpu)
    : gpu_(std::move(gpu)),
      queues_(queues_of(gpu_)),
      readers_{TakeReader(takes[0], pulse, decoding_queue(gpu_, queues_, 0)),
               TakeReader(takes[1], pulse, decoding_queue(gpu_, queues_, 1))},
      halves_{SideComposer(takes[0], takes[0].crop, width / 2, height, scratch_),
              SideComposer(takes[1], takes[1].crop, width / 2, height, scratch_)} {
  for (const SidePicture& side : sides) {
    const Take& take = takes[side.side];
    // Encoders read whole surfaces alone.
    const bool half = !gpu_.holds_composites && 2 * side.width == width && side.height == height && side.crop == take.crop;
    auto& alone = alone_.emplace_back();
    if (!half) alone.emplace(Alone{side.side, SideComposer(take, side.crop, side.width, side.height, scratch_)});
  }
}

// A GPU that fails leaves its work to the cores, which draw the same.
std::uint8_t CompositeReader::render(const std::array<std::int64_t, 2>& source, const MutablePicture& composite,
                                     StageClock& clock) {
  try {
    return render_once(source, composite, clock);
  } catch (const Error& error) {
    if (error.cause() != Cause::device || gpu_.holds_composites) throw;
    leave_gpu(error);
    return render_once(source, composite, clock);
  }
}

// For good: what CUDA answers after a failure is that failure again.
void CompositeReader::leave_gpu(const Error& error) {
  for (TakeReader& reader : readers_) reader.leave_gpu(error.what());
  for (auto& shown : shown_) {
    if (shown && shown->on_gpu) shown.reset();
  }
}

std::uint8_t CompositeReader::render_once(const std::array<std::int64_t, 2>& source, const MutablePicture& composite,
                                          StageClock& clock) {
  const Settled settled(*this);
  std::uint8_t damaged = 0;
  for (std::size_t side = 0; side < 2; ++side) {
    if (draw_half(side, source[side], composite, clock)) damaged = static_cast<std::uint8_t>(damaged | (1U << side));
  }
  for (std::size_t side = 0; side < 2; ++side) wait_for(side);
  return damaged;
}

bool CompositeReader::render_half(std::size_t side, std::int64_t source, const MutablePicture& composite,
                                  StageClock& clock) {
  const Settled settled(*this);
  const bool damaged = draw_half(side, source, composite, clock);
  wait_for(side);
  return damaged;
}

bool CompositeReader::draw_half(std::size_t side, std::int64_t source, const MutablePicture& composite,
                                StageClock& clock) {
  clock.enter(Stage::decode);
  source_[side] = source;
  shown_[side] = readers_[side].at(source);
  clock.enter(Stage::compose);
  draw(halves_[side], side, half_of(composite, side));
  return shown_[side]->damaged;
}

void CompositeReader::draw(SideComposer& composer, std::size_t side, const MutablePicture& picture) {
  const TakeReader::Shown& shown = *shown_[side];
  if (!gpu_.holds_composites) {
    draw_in_host(composer, side, picture);
  } else if (shown.on_gpu && !composer.converts_colors()) {
    queued_[side] = true;
    composer.compose_there(*gpu_.device, *queues_[side], *shown.on_gpu, picture);
  } else {
    draw_by_host(composer, side, picture);
  }
}

void CompositeReader::draw_in_host(SideComposer& composer, std::size_t side, const MutablePicture& picture) {
  const TakeReader::Shown& shown = *shown_[side];
  if (shown.on_gpu) {
    queued_[side] = true;
    composer.compose(*gpu_.device, *queues_[side], *shown.on_gpu, picture);
  } else {
    composer.compose(shown.picture, picture);
  }
}

// Into the GPU's memory what the cores have a part in.
void CompositeReader::draw_by_host(SideComposer& composer, std::size_t side, const MutablePicture& picture) {
  PackedPicture& drawn = drawn_by_host_[side];
  draw_in_host(composer, side, drawn.shaped(picture));
  wait_for(side);
  queued_[side] = true;
  drawn.copy_in(*queues_[side], picture);
}

void CompositeReader::wait_for(std::size_t side) {
  if (!queued_[side]) return;
  queues_[side]->wait();
  queued_[side] = false;
}

// What is queued reads frames and writes pictures that others own.
void CompositeReader::settle() noexcept {
  for (std::size_t side = 0; side < 2; ++side) {
    try {
      wait_for(side);
    } catch (const Error&) {
      queued_[side] = false;
    }
  }
}

void CompositeReader::render_side(std::size_t number, const MutablePicture& picture, StageClock& clock) {
  clock.enter(Stage::compose);
  try {
    draw_side(*alone_[number], picture);
  } catch (const Error& error) {
    if (error.cause() != Cause::device || gpu_.holds_composites) throw;
    leave_gpu(error);
    draw_side(*alone_[number], picture);
  }
}

void CompositeReader::draw_side(Alone& alone, const MutablePicture& picture) {
  const Settled settled(*this);
  if (!shown_[alone.side]) shown_[alone.side] = readers_[alone.side].at(source_[alone.side]);
  draw(alone.composer, alone.side, picture);
  wait_for(alone.side);
}

void CompositeReader::forget_damage() {
  for (TakeReader& reader : readers_) reader.forget_damage();
}

void CompositeReader::forget() {
  for (TakeReader& reader : readers_) reader.forget();
}

void CompositeReader::expect(const Chunk& chunk, const NextChunk& next) {
  for (std::size_t side = 0; side < 2; ++side) {
    readers_[side].expect(chunk.source[side].back(), [next, side]() -> std::optional<av::FrameRange> {
      const Chunk* following = next ? next() : nullptr;
      if (following == nullptr) return std::nullopt;
      return av::FrameRange{following->source[side].front(), following->source[side].back()};
    });
  }
}

av::DecodeCounts CompositeReader::counts() const {
  av::DecodeCounts all = readers_[0].counts();
  all += readers_[1].counts();
  return all;
}

}  // namespace emomedia
