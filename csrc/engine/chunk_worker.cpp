#include "engine/chunk_worker.h"

#include <span>
#include <string>

#include "av/video_encoder.h"
#include "engine/gop.h"
#include "engine/packed_picture.h"

namespace emomedia {

// One picture's way from its encoder into the chunk's spool.
struct ChunkWorker::Output {
  Output(const VideoSettings& settings, const av::EncoderMemory& memory, const std::string& path,
         std::int64_t first_frame)
      : encoder(settings, memory),
        spool(path, encoder.parameter_sets()),
        sink([this, first_frame](const av::EncodedPacket& packet) {
          spool.add_packet(first_frame + packet.pts, packet);
        }) {}

  av::VideoEncoder encoder;
  SpoolWriter spool;
  const av::PacketSink sink;
};

// The pages of a picture that a GPU copies composites to; pinned anew where it has others.
class ChunkWorker::PinnedPicture {
 public:
  explicit PinnedPicture(gpu::Device* device) : device_(device) {}

  void pin(std::span<std::uint8_t> memory) {
    if (device_ == nullptr || memory.data() == pinned_.data()) return;
    pin_.reset();
    if (!memory.empty()) pin_ = device_->pin(memory.data(), memory.size());
    pinned_ = memory;
  }

 private:
  gpu::Device* device_;
  std::span<std::uint8_t> pinned_;
  std::shared_ptr<void> pin_;
};

// A copy in the host's memory of a composite that lies in the GPU's.
class ChunkWorker::HostPicture {
 public:
  explicit HostPicture(gpu::Device* device) : pinned_(device) {}

  const MutablePicture& copy(gpu::Queue& queue, const MutablePicture& composite) {
    picture_.shaped(composite);
    pinned_.pin(picture_.memory());
    return picture_.copy_out(queue, composite);
  }

 private:
  PackedPicture picture_;
  PinnedPicture pinned_;  // goes before the memory does
};

ChunkWorker::ChunkWorker(const Job& job, EncoderGate& gate, std::atomic<std::int64_t>& frames_done, Pulse& pulse,
                         const std::shared_ptr<gpu::Device>& device)
    : job_(job),
      gate_(gate),
      frames_done_(frames_done),
      pulse_(pulse),
      device_(device),
      encoding_(job, device),
      reader_(job.takes, job.video.width, job.video.height, pulse, job.sides, {device, job.on_gpu, encoding_.on_gpu()}) {
  if (encoding_.on_gpu() && job.observer.observe != nullptr) seen_ = std::make_unique<HostPicture>(device.get());
}

ChunkWorker::~ChunkWorker() = default;

// What libav makes of damage depends on all that it is given. So a chunk in which there is some is not kept,
// unless the decoders were given just what it needs, from its own key frame on.
bool ChunkWorker::make(const Chunk& chunk, const NextChunk& next, const std::stop_token& stop, StageClock& clock) {
  reader_.forget_damage();
  reader_.expect(chunk, next);
  Outcome outcome = make_once(chunk, false, stop, clock);
  if (outcome == Outcome::damaged) {
    frames_done_.fetch_sub(chunk.frame_count(), std::memory_order_relaxed);
    reader_.forget();
    reader_.expect(chunk, nullptr);
    outcome = make_once(chunk, true, stop, clock);
  }
  return outcome == Outcome::made;
}

ChunkWorker::Outcome ChunkWorker::make_once(const Chunk& chunk, bool may_be_damaged, const std::stop_token& stop,
                                            StageClock& clock) {
  clock.enter(Stage::encode);
  const EncoderGate::Share share(gate_);
  Outputs outputs;
  if (!open(outputs, chunk, stop)) return Outcome::stopped;
  PinnedPicture pinned(device_.get());  // goes before the encoders' memory does
  std::int64_t frame = 0;
  std::uint8_t damage = 0;
  for (const std::int64_t length : chunk.spans) {
    for (std::int64_t position = 0; position < length; ++position, ++frame) {
      if (stop.stop_requested()) return Outcome::stopped;
      pulse_.beat();
      const auto f = static_cast<std::size_t>(frame);
      const MutablePicture picture = outputs[0].encoder.picture();
      pinned.pin(outputs[0].encoder.memory());
      const std::uint8_t damaged = reader_.render({chunk.source[0][f], chunk.source[1][f]}, picture, clock);
      for (Output& output : outputs) output.spool.add_damage(damaged);
      if (job_.observer.observe != nullptr) {
        const MutablePicture& shown = seen_ ? seen_->copy(encoding_.queue(), picture) : picture;
        observe(chunk.first_frame + frame, damaged, shown, outputs[0].spool, clock);
      }
      damage |= damaged;
      encode(outputs, frame, is_idr(position, length, job_.video.gop), clock);
      frames_done_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (damage != 0 && !may_be_damaged) return Outcome::damaged;
  for (Output& output : outputs) output.encoder.finish(output.sink);
  clock.enter(Stage::write);
  for (Output& output : outputs) output.spool.commit();
  return Outcome::made;
}

// All of a chunk's encoders or none: two workers that have half of theirs each would wait for each other.
bool ChunkWorker::open(Outputs& outputs, const Chunk& chunk, const std::stop_token& stop) {
  const auto all_or_none = [&] {
    try {
      for (std::size_t number = 0; number < job_.picture_count(); ++number) {
        outputs.emplace_back(job_.settings(number), encoding_.memory(), chunk.spools[number], chunk.first_frame);
      }
    } catch (...) {
      outputs.clear();
      throw;
    }
  };
  return gate_.pass(all_or_none, job_.stall_seconds, stop, pulse_);
}

// The composite that was just drawn, and each side alone: its half, or another picture of the same frames.
void ChunkWorker::encode(Outputs& outputs, std::int64_t frame, bool idr, StageClock& clock) {
  Output& composite = outputs[0];
  clock.enter(Stage::encode);
  composite.encoder.encode(frame, idr, composite.sink);
  for (std::size_t number = 0; number < job_.sides.size(); ++number) {
    Output& output = outputs[1 + number];
    if (reader_.is_half(number)) {
      output.encoder.encode_half(composite.encoder, job_.sides[number].side, frame, idr, output.sink);
    } else {
      reader_.render_side(number, output.encoder.picture(), clock);
      clock.enter(Stage::encode);
      output.encoder.encode(frame, idr, output.sink);
    }
  }
}

void ChunkWorker::observe(std::int64_t frame, std::uint8_t damaged, const MutablePicture& picture,
                          SpoolWriter& spool, StageClock& clock) const {
  clock.enter(Stage::observe);
  const Observer& observer = job_.observer;
  const auto measures = spool.add_measures(static_cast<std::size_t>(observer.measures));
  observer.observe(observer.context, frame, damaged, picture.data[0], picture.data[1], picture.data[2],
                   picture.stride[0], picture.stride[1], picture.stride[2], picture.format.width,
                   picture.format.height, picture.format.depth, measures.data());
}

}  // namespace emomedia
