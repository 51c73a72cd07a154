// Makes one chunk after another: decode, compose, encode each picture into its spool. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <stop_token>

#include "emomedia/job.h"
#include "engine/composite_reader.h"
#include "engine/stage_clock.h"

namespace emomedia {

class ChunkWorker {
 public:
  // Borrows the job, the counter of frames done, which it adds to, and the pulse, which it beats.
  ChunkWorker(const Job& job, std::atomic<std::int64_t>& frames_done, Pulse& pulse);

  // Returns false when it was asked to stop; the spools then do not appear.
  bool make(const Chunk& chunk, const std::stop_token& stop, StageClock& clock);

  std::int64_t decoded_frames() const { return reader_.decoded_frames(); }

 private:
  enum class Outcome { made, stopped, depends_on_history };
  struct Output;
  using Outputs = std::deque<Output>;  // by picture

  Outcome make_once(const Chunk& chunk, bool continued, const std::stop_token& stop, StageClock& clock);
  void encode(Outputs& outputs, std::int64_t frame, bool idr, StageClock& clock);

  const Job& job_;
  std::atomic<std::int64_t>& frames_done_;
  Pulse& pulse_;
  CompositeReader reader_;
  bool has_history_ = false;
};

}  // namespace emomedia
