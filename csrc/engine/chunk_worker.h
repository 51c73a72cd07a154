// Makes one chunk after another: decode, compose, encode into its spool. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "emomedia/job.h"
#include "engine/composite_reader.h"
#include "engine/spool.h"
#include "engine/stage_clock.h"

namespace emomedia {

class ChunkWorker {
 public:
  // Borrows the job, the counter of frames done, which it adds to, and the pulse, which it beats.
  ChunkWorker(const Job& job, std::atomic<std::int64_t>& frames_done, Pulse& pulse);

  // Returns false when it was asked to stop; the spool then does not appear. `next` is asked shortly
  // before the chunk's end, for each take.
  bool make(const Chunk& chunk, const NextChunk& next, const std::stop_token& stop, StageClock& clock);

  av::DecodeCounts counts() const { return reader_.counts(); }

 private:
  enum class Outcome { made, stopped, damaged };

  Outcome make_once(const Chunk& chunk, bool may_be_damaged, const std::stop_token& stop, StageClock& clock);

  void observe(std::int64_t frame, std::uint8_t damaged, const MutablePicture& picture, SpoolWriter& spool,
               StageClock& clock) const;

  const Job& job_;
  std::atomic<std::int64_t>& frames_done_;
  Pulse& pulse_;
  CompositeReader reader_;
};

}  // namespace emomedia
