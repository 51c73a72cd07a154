#include <doctest/doctest.h>

#include <numeric>
#include <set>
#include <vector>

#include "engine/board.h"

using namespace emomedia;

namespace {

constexpr std::int64_t kChunkFrames = 10;

// Chunks of ten frames of two takes with a key frame every `left_gop` and `right_gop` frames.
Job job_of(std::size_t chunks, std::vector<std::vector<int>> clips, int left_gop = 10, int right_gop = 10) {
  Job job;
  const auto frames = static_cast<std::int64_t>(chunks) * kChunkFrames;
  const std::array gops{left_gop, right_gop};
  for (std::size_t side = 0; side < 2; ++side) {
    TakeFile file;
    for (std::int64_t n = 0; n < frames; ++n) {
      file.pts.push_back(n);
      file.key.push_back(n % gops[side] == 0);
    }
    job.takes[side].files = {file};
  }
  for (std::int64_t first = 0; first < frames; first += kChunkFrames) {
    Chunk chunk;
    chunk.first_frame = first;
    for (std::int64_t n = first; n < first + kChunkFrames; ++n) {
      for (auto& source : chunk.source) source.push_back(n);
    }
    job.chunks.push_back(chunk);
  }
  for (auto& chunk_list : clips) {
    Clip clip;
    clip.chunks = std::move(chunk_list);
    job.clips.push_back(clip);
  }
  return job;
}

}  // namespace

TEST_CASE("every chunk is handed out once, the one after the previous first") {
  const Job job = job_of(6, {});
  Board board(job, std::vector<bool>(6, false));
  std::set<std::size_t> seen;
  const auto first = board.claim(std::nullopt);
  REQUIRE(first);
  CHECK(first->index == 0);
  CHECK(board.claim(first->index)->index == 1);
  const auto other = board.claim(std::nullopt);
  CHECK(other->index == 4);  // the middle of 2..5
  seen = {0, 1, 4};
  while (const auto task = board.claim(std::nullopt)) CHECK(seen.insert(task->index).second);
  CHECK(seen.size() == 6);
}

TEST_CASE("of the chunks near the middle the one with the shortest lead-in is begun") {
  // Key frames of both takes at the beginning of chunks 0 and 14 alone, of one at that of many.
  const Job job = job_of(20, {}, 20, 70);
  Board board(job, std::vector<bool>(20, false));
  CHECK(board.claim(std::nullopt)->index == 0);
  CHECK(board.claim(std::nullopt)->index == 14);  // frames 10..199: the middle half is 57..152
  // Chunk 7's right key frame is at its beginning, its left ten frames before; of 1..13 it is the middle, too.
  CHECK(board.claim(std::nullopt)->index == 7);
  // In 1..6, chunks 2, 4 and 6 have left key frames; the right take's is that of frame 0.
  CHECK(board.claim(std::nullopt)->index == 4);
}

TEST_CASE("a long chunk counts for its frames") {
  Job job = job_of(6, {});
  for (auto& source : job.chunks[1].source) source.resize(100, 10);
  Board board(job, std::vector<bool>(6, false));
  CHECK(board.claim(std::nullopt)->index == 0);
  CHECK(board.claim(std::nullopt)->index == 2);  // 100 frames before it, 40 from it on
}

TEST_CASE("a chunk that is kept for a worker goes to that one alone, unless it is released") {
  const Job job = job_of(3, {});
  Board board(job, std::vector<bool>(3, false));
  CHECK(board.claim(std::nullopt)->index == 0);
  CHECK(board.reserve_next(0));
  CHECK(board.reserve_next(0));
  const auto other = board.claim(std::nullopt);
  CHECK(other->index == 2);
  CHECK_FALSE(board.claim(other->index));
  CHECK_FALSE(board.reserve_next(2));
  board.release_next(0);
  CHECK(board.claim(other->index)->index == 1);
  CHECK_FALSE(board.reserve_next(0));
  board.release_next(0);
  CHECK_FALSE(board.claim(std::nullopt));
}

TEST_CASE("a clip is handed out when its last chunk is done, once") {
  const Job job = job_of(3, {{0, 1}, {1, 2}});
  Board board(job, {false, true, false});
  CHECK(board.claim(std::nullopt)->kind == Task::Kind::chunk);
  board.chunk_done(0);
  const auto clip = board.claim(std::nullopt);
  CHECK(clip->kind == Task::Kind::clip);
  CHECK(clip->index == 0);
  const auto chunk = board.claim(std::nullopt);
  CHECK(chunk->kind == Task::Kind::chunk);
  CHECK(chunk->index == 2);
  board.chunk_done(2);
  CHECK(board.claim(std::nullopt)->index == 1);
  CHECK_FALSE(board.claim(std::nullopt));
}

TEST_CASE("clips whose chunks all lie in spools are there from the beginning") {
  const Job job = job_of(1, {{0}, {0}});
  Board board(job, {true});
  CHECK(board.claim(std::nullopt)->kind == Task::Kind::clip);
  CHECK(board.claim(std::nullopt)->kind == Task::Kind::clip);
  CHECK_FALSE(board.claim(std::nullopt));
}

namespace {

constexpr std::int64_t kMinute = 60 * 48'000;

// How many of the chunks of ten frames that a clip of a minute waits for are handed out before its sound is.
int chunks_before_sound(int workers) {
  Job job = job_of(20, {std::vector<int>(20)});
  std::iota(job.clips[0].chunks.begin(), job.clips[0].chunks.end(), 0);
  job.clips[0].sample_count = kMinute;
  job.workers = workers;
  Board board(job, std::vector<bool>(20, false));
  int chunks = 0;
  while (board.claim(std::nullopt)->kind == Task::Kind::chunk) ++chunks;
  return chunks;
}

}  // namespace

TEST_CASE("the sound of a long clip is begun as soon as one worker takes longer for it than all take for the chunks left") {
  CHECK(chunks_before_sound(1) == 11);  // 90 of 200 frames are left
  CHECK(chunks_before_sound(2) == 2);
  CHECK(chunks_before_sound(3) == 0);
}

TEST_CASE("whoever is given sound keeps no chunk from the others") {
  Job job = job_of(2, {{0, 1}});
  job.clips[0].sample_count = kMinute;
  Board board(job, {true, false});
  CHECK(board.reserve_next(0));
  CHECK(board.claim(0)->kind == Task::Kind::sound);
  const auto other = board.claim(std::nullopt);
  REQUIRE(other);
  CHECK(other->index == 1);
  CHECK_FALSE(board.claim(0));
}

TEST_CASE("the longest clip's sound that there is room for is handed out once, and the clip after it") {
  Job job = job_of(2, {{0, 1}, {0, 1}, {0, 1}, {0}});
  job.clips[0].sample_count = 48'000;       // soon done
  job.clips[1].sample_count = kMinute;
  job.clips[2].sample_count = 6 * kMinute;  // too much to keep
  Board board(job, {false, false});
  const auto sound = board.claim(std::nullopt);
  REQUIRE(sound);
  CHECK(sound->kind == Task::Kind::sound);
  CHECK(sound->index == 1);
  for (int n = 0; n < 2; ++n) CHECK(board.claim(std::nullopt)->kind == Task::Kind::chunk);
  CHECK_FALSE(board.claim(std::nullopt));
  board.chunk_done(0);
  board.chunk_done(1);
  std::set<std::size_t> written;
  while (const auto task = board.claim(std::nullopt)) {
    CHECK(task->kind == Task::Kind::clip);
    written.insert(task->index);
  }
  CHECK(written == std::set<std::size_t>{0, 2, 3});  // not the one whose sound is in hand
  board.sound_done(1);
  CHECK(board.claim(std::nullopt)->index == 1);
}
