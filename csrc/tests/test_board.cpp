#include <doctest/doctest.h>

#include <set>

#include "engine/board.h"

using namespace emomedia;

namespace {

Job job_of(std::size_t chunks, std::vector<std::vector<int>> clips) {
  Job job;
  job.chunks.resize(chunks);
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
