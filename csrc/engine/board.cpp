#include "engine/board.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <tuple>
#include <utility>

namespace emomedia {
namespace {

// Sound that is encoded ahead waits in memory, its encoders too: five minutes of it a worker at the most, and no clips
// that are soon done.
constexpr std::int64_t kLeastSamplesAhead = 10 * 48'000, kMostSamplesAhead = 5 * 60 * 48'000;

// What a core encodes of sound in the time of a composite, at the least: beside a GPU that decodes, so that a composite
// costs little more than x264, five seconds with `veryfast`.
constexpr std::int64_t kSamplesPerComposite = 32'000;

// Frames of a take between frame `index` and the key frame that it needs.
std::int64_t frames_since_key(const Take& take, std::int64_t index) {
  std::size_t number = 0;
  while (index >= static_cast<std::int64_t>(take.files[number].key.size())) {
    index -= static_cast<std::int64_t>(take.files[number++].key.size());
  }
  std::int64_t key = index;
  while (key > 0 && take.files[number].key[static_cast<std::size_t>(key)] == 0) --key;
  return index - key;
}

}  // namespace

Board::Board(const Job& job, const std::vector<bool>& done)
    : workers_(std::max(1, job.workers)), clips_of_(job.chunks.size()) {
  for (std::size_t chunk = 0; chunk < done.size(); ++chunk) {
    state_.push_back(done[chunk] ? State::claimed : State::open);
    frames_.push_back(job.chunks[chunk].frame_count());
    lead_in_.push_back(0);
    for (std::size_t side = 0; side < 2; ++side) {
      lead_in_.back() += frames_since_key(job.takes[side], job.chunks[chunk].source[side].front());
    }
  }
  for (std::size_t clip = 0; clip < job.clips.size(); ++clip) {
    missing_.push_back(job.clips[clip].chunks.size());
    samples_.push_back(job.clips[clip].sample_count);
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
  if (const auto clip = choose_sound()) {
    if (previous) open_next(*previous);
    samples_ahead_ += std::exchange(samples_[*clip], 0);
    ++missing_[*clip];
    return Task{Task::Kind::sound, *clip};
  }
  const auto chunk = choose_chunk(previous);
  if (!chunk) return std::nullopt;
  state_[*chunk] = State::claimed;
  return Task{Task::Kind::chunk, *chunk};
}

// The longest there is room for among those of clips that wait for chunks, once it is due.
std::optional<std::size_t> Board::choose_sound() const {
  std::optional<std::size_t> longest;
  for (std::size_t clip = 0; clip < samples_.size(); ++clip) {
    if (missing_[clip] == 0 || samples_ahead_ + samples_[clip] > workers_ * kMostSamplesAhead) continue;
    if (samples_[clip] >= (longest ? samples_[*longest] + 1 : kLeastSamplesAhead)) longest = clip;
  }
  if (longest && frames_left() * kSamplesPerComposite > samples_[*longest] * workers_) return std::nullopt;
  return longest;
}

// Of the chunks that nobody has begun.
std::int64_t Board::frames_left() const {
  std::int64_t frames = 0;
  for (std::size_t chunk = 0; chunk < state_.size(); ++chunk) {
    if (state_[chunk] != State::claimed) frames += frames_[chunk];
  }
  return frames;
}

void Board::sound_done(std::size_t clip) {
  const std::lock_guard lock(mutex_);
  release_clip(clip);
}

bool Board::reserve_next(std::size_t chunk) {
  const std::lock_guard lock(mutex_);
  if (chunk + 1 >= state_.size() || state_[chunk + 1] == State::claimed) return false;
  state_[chunk + 1] = State::reserved;
  return true;
}

void Board::release_next(std::size_t chunk) {
  const std::lock_guard lock(mutex_);
  open_next(chunk);
}

void Board::open_next(std::size_t chunk) {
  if (chunk + 1 < state_.size() && state_[chunk + 1] == State::reserved) state_[chunk + 1] = State::open;
}

void Board::chunk_done(std::size_t chunk) {
  const std::lock_guard lock(mutex_);
  release_clips(chunk);
}

std::optional<std::size_t> Board::choose_chunk(std::optional<std::size_t> previous) const {
  const std::size_t after = previous ? *previous + 1 : 0;
  if (after < state_.size() && state_[after] != State::claimed) return after;
  std::size_t best_first = 0, best_end = 0, first = 0;
  std::int64_t most = 0, frames = 0;
  for (std::size_t i = 0; i <= state_.size(); ++i) {
    if (i < state_.size() && state_[i] == State::open) {
      frames += frames_[i];
      continue;
    }
    if (frames > most) std::tie(best_first, best_end, most) = std::tuple(first, i, frames);
    first = i + 1;
    frames = 0;
  }
  if (most == 0) return std::nullopt;
  return near_middle(best_first, best_end);
}

// Of the chunks that begin in the middle half of a stretch the one with the shortest lead-in; where none
// does, the one that begins nearest to its middle.
std::size_t Board::near_middle(std::size_t first, std::size_t end) const {
  const auto at = [this](std::size_t i) { return frames_.begin() + static_cast<std::ptrdiff_t>(i); };
  const std::int64_t total = std::accumulate(at(first), at(end), std::int64_t{0});
  std::size_t best = first;
  std::tuple<bool, std::int64_t, std::int64_t> best_cost{true, 0, 0};
  std::int64_t before = 0;
  for (std::size_t i = first; i < end; before += frames_[i++]) {
    const std::int64_t from_middle = std::abs(2 * before - total);
    const bool outside = 2 * from_middle > total;
    const std::tuple cost{outside, outside ? from_middle : lead_in_[i], from_middle};
    if (i == first || cost < best_cost) std::tie(best, best_cost) = std::tuple(i, cost);
  }
  return best;
}

void Board::release_clips(std::size_t chunk) {
  for (const std::size_t clip : clips_of_[chunk]) release_clip(clip);
}

void Board::release_clip(std::size_t clip) {
  if (--missing_[clip] == 0) ready_.push_back(clip);
}

}  // namespace emomedia
