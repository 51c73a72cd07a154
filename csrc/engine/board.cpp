#include "engine/board.h"

namespace emomedia {

Board::Board(const Job& job, const std::vector<bool>& done) : claimed_(done), clips_of_(job.chunks.size()) {
  for (std::size_t clip = 0; clip < job.clips.size(); ++clip) {
    missing_.push_back(job.clips[clip].chunks.size());
    for (const int chunk : job.clips[clip].chunks) clips_of_[static_cast<std::size_t>(chunk)].push_back(clip);
  }
  for (std::size_t chunk = 0; chunk < done.size(); ++chunk) {
    if (done[chunk]) release_clips(chunk);
  }
}

std::optional<Task> Board::claim(std::optional<std::size_t> previous) {
  const std::lock_guard lock(mutex_);
  if (!ready_.empty()) {
    const std::size_t clip = ready_.back();
    ready_.pop_back();
    return Task{Task::Kind::clip, clip};
  }
  const auto chunk = claim_chunk(previous);
  if (!chunk) return std::nullopt;
  claimed_[*chunk] = true;
  return Task{Task::Kind::chunk, *chunk};
}

void Board::chunk_done(std::size_t chunk) {
  const std::lock_guard lock(mutex_);
  release_clips(chunk);
}

std::optional<std::size_t> Board::claim_chunk(std::optional<std::size_t> previous) {
  const std::size_t after = previous ? *previous + 1 : 0;
  if (after < claimed_.size() && !claimed_[after]) return after;
  std::size_t best_start = 0, best_length = 0, start = 0;
  for (std::size_t i = 0; i <= claimed_.size(); ++i) {
    if (i < claimed_.size() && !claimed_[i]) continue;
    if (i - start > best_length) {
      best_start = start;
      best_length = i - start;
    }
    start = i + 1;
  }
  if (best_length == 0) return std::nullopt;
  return best_start + best_length / 2;
}

void Board::release_clips(std::size_t chunk) {
  for (const std::size_t clip : clips_of_[chunk]) {
    if (--missing_[clip] == 0) ready_.push_back(clip);
  }
}

}  // namespace emomedia
