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

bool ChunkWorker::make(const Chunk& chunk, const std::stop_token& stop, StageClock& clock) {
  clock.enter(Stage::encode);
  av::VideoEncoder encoder(job_.video);
  SpoolWriter spool(chunk.spool, encoder.parameter_sets());
  const av::PacketSink sink = [&](const av::EncodedPacket& packet) {
    spool.add_packet(chunk.first_frame + packet.pts, packet);
  };
  reader_.forget_damage();
  std::int64_t frame = 0;
  for (const std::int64_t length : chunk.spans) {
    for (std::int64_t position = 0; position < length; ++position, ++frame) {
      if (stop.stop_requested()) return false;
      pulse_.beat();
      const auto f = static_cast<std::size_t>(frame);
      spool.add_damage(reader_.render({chunk.source[0][f], chunk.source[1][f]}, encoder.picture(), clock));
      clock.enter(Stage::encode);
      encoder.encode(frame, is_idr(position, length, job_.video.gop), sink);
      frames_done_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  encoder.finish(sink);
  clock.enter(Stage::write);
  spool.commit();
  return true;
}

}  // namespace emomedia
