// Hands out work: the chunks still to make, the clips that can be written, and sound ahead of their pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "emomedia/job.h"

namespace emomedia {

struct Task {
  enum class Kind { chunk, clip, sound } kind;
  std::size_t index;  // of the chunk, or of the clip
};

// Thread-safe. The order in which tasks are handed out never shows in the output.
class Board {
 public:
  // `done[i]` tells that chunk i lies in its spool already.
  Board(const Job& job, const std::vector<bool>& done);

  // A clip that waits to be written, else the sound of a long one that would keep a worker longer than all the chunks
  // left keep all of them, once a clip: it is not handed out to be written before that is done, and others may have the
  // chunk that was reserved meanwhile. Else the chunk after `previous` (its decoders stand right before it), else one
  // near the middle of the longest stretch that nobody has begun, where few frames lie between it and the key frames that
  // it needs.
  std::optional<Task> claim(std::optional<std::size_t> previous);
  void chunk_done(std::size_t chunk);
  void sound_done(std::size_t clip);

  // Reserves the chunk after `chunk` for the worker that makes `chunk`, which claims it when it is due; false if another
  // has it or there is none.
  bool reserve_next(std::size_t chunk);
  // Takes such a reservation back, if there is one.
  void release_next(std::size_t chunk);

 private:
  enum class State : std::uint8_t { open, reserved, claimed };

  std::optional<std::size_t> choose_chunk(std::optional<std::size_t> previous) const;
  std::size_t near_middle(std::size_t first, std::size_t end) const;
  std::optional<std::size_t> choose_sound() const;
  std::int64_t frames_left() const;
  void open_next(std::size_t chunk);
  void release_clips(std::size_t chunk);
  void release_clip(std::size_t clip);

  const std::int64_t workers_;
  std::mutex mutex_;
  std::vector<State> state_;           // per chunk
  std::vector<std::int64_t> frames_;   // per chunk: its length
  std::vector<std::int64_t> lead_in_;  // per chunk: source frames, from their key frames on, before its first
  std::vector<std::vector<std::size_t>> clips_of_;  // per chunk
  std::vector<std::size_t> missing_;                // per clip: chunks not done, and its sound while it is in hand
  std::vector<std::int64_t> samples_;               // per clip: of its sound; none once it was handed out
  std::int64_t samples_ahead_ = 0;                  // handed out so far
  std::vector<std::size_t> ready_;                  // clips
};

}  // namespace emomedia
