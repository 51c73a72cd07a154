// Makes one chunk after another: decode, compose, encode each picture into its spool. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <stop_token>
#include <string>

#include "emomedia/job.h"
#include "engine/composite_reader.h"
#include "engine/encoder_gate.h"
#include "engine/encoding_place.h"
#include "engine/spool.h"
#include "engine/stage_clock.h"

namespace emomedia {

class ChunkWorker {
 public:
  // Borrows the job, the gate, the counter of frames done, which it adds to, and the pulse, which it beats. `device` is
  // the GPU that it uses, if any.
  ChunkWorker(const Job& job, EncoderGate& gate, std::atomic<std::int64_t>& frames_done, Pulse& pulse,
              const std::shared_ptr<gpu::Device>& device);
  ~ChunkWorker();

  // Returns false when it was asked to stop; the spools then do not appear. `next` is asked shortly before the
  // chunk's end, for each take. Throws Error(device) where the GPU that encodes fails.
  bool make(const Chunk& chunk, const NextChunk& next, const std::stop_token& stop, StageClock& clock);

  av::DecodeCounts counts() const { return reader_.counts(); }
  const std::string& left_gpu(std::size_t side) const { return reader_.left_gpu(side); }

 private:
  enum class Outcome { made, stopped, damaged };
  struct Output;
  class PinnedPicture;
  class HostPicture;
  using Outputs = std::deque<Output>;  // by picture

  Outcome make_once(const Chunk& chunk, bool may_be_damaged, const std::stop_token& stop, StageClock& clock);
  bool open(Outputs& outputs, const Chunk& chunk, const std::stop_token& stop);
  void encode(Outputs& outputs, std::int64_t frame, bool idr, StageClock& clock);
  void observe(std::int64_t frame, std::uint8_t damaged, const MutablePicture& picture, SpoolWriter& spool,
               StageClock& clock) const;

  const Job& job_;
  EncoderGate& gate_;
  std::atomic<std::int64_t>& frames_done_;
  Pulse& pulse_;
  std::shared_ptr<gpu::Device> device_;
  EncodingPlace encoding_;
  CompositeReader reader_;
  std::unique_ptr<HostPicture> seen_;  // what the observer sees of composites in the GPU's memory
};

}  // namespace emomedia
