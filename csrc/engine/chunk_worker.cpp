#include "engine/chunk_worker.h"

#include "av/video_encoder.h"
#include "engine/gop.h"
#include "engine/spool.h"

namespace emomedia {

ChunkWorker::ChunkWorker(const Job& job, std::atomic<std::int64_t>& frames_done, Pulse& pulse)
    : job_(job),
      frames_done_(frames_done),
      pulse_(pulse),
      reader_(job.takes, job.video.width, job.video.height, pulse) {}

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
  av::VideoEncoder encoder(job_.video);
  SpoolWriter spool(chunk.spool, encoder.parameter_sets());
  const av::PacketSink sink = [&](const av::EncodedPacket& packet) {
    spool.add_packet(chunk.first_frame + packet.pts, packet);
  };
  std::int64_t frame = 0;
  std::uint8_t damage = 0;
  for (const std::int64_t length : chunk.spans) {
    for (std::int64_t position = 0; position < length; ++position, ++frame) {
      if (stop.stop_requested()) return Outcome::stopped;
      pulse_.beat();
      const auto f = static_cast<std::size_t>(frame);
      const std::uint8_t damaged =
          reader_.render({chunk.source[0][f], chunk.source[1][f]}, encoder.picture(), clock);
      spool.add_damage(damaged);
      damage |= damaged;
      clock.enter(Stage::encode);
      encoder.encode(frame, is_idr(position, length, job_.video.gop), sink);
      frames_done_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (damage != 0 && !may_be_damaged) return Outcome::damaged;
  encoder.finish(sink);
  clock.enter(Stage::write);
  spool.commit();
  return Outcome::made;
}

}  // namespace emomedia
