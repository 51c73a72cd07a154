// Who does what next: the chunks still to make and the clips that can be written.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "emomedia/job.h"

namespace emomedia {

struct Task {
  enum class Kind { chunk, clip } kind;
  std::size_t index;
};

// Thread-safe. The order in which tasks are handed out never shows in the output.
class Board {
 public:
  // `done[i]` tells that chunk i lies in its spool already.
  Board(const Job& job, const std::vector<bool>& done);

  // A clip that waits to be written, else the chunk after `previous` (its decoders stand right before
  // it), else one in the middle of the longest stretch that nobody has begun.
  std::optional<Task> claim(std::optional<std::size_t> previous);
  void chunk_done(std::size_t chunk);

 private:
  std::optional<std::size_t> claim_chunk(std::optional<std::size_t> previous);
  void release_clips(std::size_t chunk);

  std::mutex mutex_;
  std::vector<bool> claimed_;
  std::vector<std::vector<std::size_t>> clips_of_;  // per chunk
  std::vector<std::size_t> missing_;                // per clip: chunks not done
  std::vector<std::size_t> ready_;                  // clips
};

}  // namespace emomedia
