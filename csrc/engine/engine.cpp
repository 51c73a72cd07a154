#include "emomedia/engine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "av/video_encoder.h"
#include "emomedia/error.h"
#include "engine/board.h"
#include "engine/chunk_worker.h"
#include "engine/clip_writer.h"
#include "engine/spool.h"

namespace emomedia {

class Engine::State {
 public:
  explicit State(Job job)
      : job_(std::move(job)),
        encoder_(job_.video),
        video_parameters_(encoder_.parameters()),
        sound_{PcmReader(job_.sound[0]), PcmReader(job_.sound[1])},
        resumed_(spooled_chunks()),
        board_(job_, resumed_) {
    report_.damaged_frames.resize(job_.clips.size());
    for (std::size_t i = 0; i < job_.chunks.size(); ++i) {
      frames_total_ += job_.chunks[i].frame_count();
      if (resumed_[i]) report_.resumed_frames += job_.chunks[i].frame_count();
    }
    frames_done_ = report_.resumed_frames;
  }

  ~State() {
    cancel();
    threads_.clear();
  }

  void start() {
    started_ = std::chrono::steady_clock::now();
    const auto workers = static_cast<std::size_t>(std::max(1, job_.workers));
    running_ = workers;
    for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }

  bool wait(double seconds) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return running_ == 0; });
  }

  Progress progress() const {
    return {frames_done_.load(), frames_total_, clips_done_.load(), static_cast<std::int64_t>(job_.clips.size())};
  }

  void cancel() { stop_.request_stop(); }

  Report finish() {
    {
      std::unique_lock lock(mutex_);
      ended_.wait(lock, [this] { return running_ == 0; });
    }
    threads_.clear();
    if (error_) std::rethrow_exception(error_);
    if (clips_done_ != static_cast<std::int64_t>(job_.clips.size())) {
      throw Error(Cause::cancelled, "engine", "to run to its end", "a request to stop", "run again to go on");
    }
    return report_;
  }

 private:
  std::vector<bool> spooled_chunks() const {
    const auto parameter_sets = encoder_.parameter_sets();
    std::vector<bool> done;
    for (const Chunk& chunk : job_.chunks) done.push_back(is_spool(chunk.spool, chunk.frame_count(), parameter_sets));
    return done;
  }

  void work() {
    StageClock clock;
    std::int64_t decoded = 0;
    try {
      ChunkWorker worker(job_, frames_done_);
      work_through(worker, clock);
      decoded = worker.decoded_frames();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      stop_.request_stop();
    }
    clock.enter(Stage::wait);
    sign_off(clock, decoded);
  }

  void work_through(ChunkWorker& worker, StageClock& clock) {
    std::optional<std::size_t> previous;
    const std::stop_token stop = stop_.get_token();
    while (!stop.stop_requested()) {
      clock.enter(Stage::wait);
      const auto task = board_.claim(previous);
      if (!task) return;
      if (task->kind == Task::Kind::clip) {
        clock.enter(Stage::write);
        write(task->index);
      } else if (worker.make(job_.chunks[task->index], stop, clock)) {
        board_.chunk_done(task->index);
        previous = task->index;
      }
    }
  }

  void write(std::size_t index) {
    const Clip& clip = job_.clips[index];
    std::vector<std::string> spools;
    for (const int chunk : clip.chunks) spools.push_back(job_.chunks[static_cast<std::size_t>(chunk)].spool);
    const auto damaged = write_clip(clip, spools,
                                    {video_parameters_.get(), encoder_.reorder_depth(), job_.video.rate,
                                     job_.audio_bit_rate, {&sound_[0], &sound_[1]}});
    const std::lock_guard lock(mutex_);
    report_.damaged_frames[index] = damaged;
    ++clips_done_;
  }

  void sign_off(const StageClock& clock, std::int64_t decoded) {
    const std::lock_guard lock(mutex_);
    report_.decoded_frames += decoded;
    for (std::size_t i = 0; i < kStages; ++i) stage_seconds_[i] += clock.seconds(static_cast<Stage>(i));
    if (--running_ > 0) return;
    for (std::size_t i = 0; i < kStages; ++i) report_.stage_seconds.emplace_back(kStageNames[i], stage_seconds_[i]);
    report_.composed_frames = frames_done_ - report_.resumed_frames;
    report_.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    ended_.notify_all();
  }

  const Job job_;
  const av::VideoEncoder encoder_;  // never fed: what all chunks' encoders have in common
  const av::Parameters video_parameters_;
  const std::array<PcmReader, 2> sound_;
  const std::vector<bool> resumed_;
  Board board_;
  Report report_;
  std::int64_t frames_total_ = 0;
  std::atomic<std::int64_t> frames_done_{0}, clips_done_{0};
  std::array<double, kStages> stage_seconds_{};
  std::chrono::steady_clock::time_point started_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
  std::exception_ptr error_;
  std::vector<std::jthread> threads_;
};

Engine::Engine(Job job) : state_(std::make_unique<State>(std::move(job))) {}
Engine::~Engine() = default;
void Engine::start() { state_->start(); }
bool Engine::wait(double seconds) { return state_->wait(seconds); }
Progress Engine::progress() const { return state_->progress(); }
void Engine::cancel() { state_->cancel(); }
Report Engine::finish() { return state_->finish(); }

class Composites::State {
 public:
  State(std::array<Take, 2> takes, int width, int height, int depth)
      : takes_(std::move(takes)), format_{width, height, depth}, reader_(takes_, width, height) {}

  PictureFormat format() const { return format_; }
  std::uint8_t render(const std::array<std::int64_t, 2>& source, const MutablePicture& picture) {
    return reader_.render(source, picture, clock_);
  }

 private:
  const std::array<Take, 2> takes_;
  PictureFormat format_;
  CompositeReader reader_;
  StageClock clock_;
};

Composites::Composites(std::array<Take, 2> takes, int width, int height, int depth)
    : state_(std::make_unique<State>(std::move(takes), width, height, depth)) {}
Composites::~Composites() = default;
Composites::Composites(Composites&&) noexcept = default;
PictureFormat Composites::format() const { return state_->format(); }
std::uint8_t Composites::render(const std::array<std::int64_t, 2>& source, const MutablePicture& picture) {
  return state_->render(source, picture);
}

}  // namespace emomedia
