#include "emomedia/engine.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>

#include "av/watch.h"
#include "emomedia/error.h"
#include "engine/board.h"
#include "engine/chunk_worker.h"
#include "engine/clip_video.h"
#include "engine/clip_writer.h"
#include "engine/encoder_gate.h"
#include "engine/job_sound.h"
#include "engine/spool.h"
#include "gpu/device.h"

namespace emomedia {
namespace {

constexpr std::chrono::seconds kLookEvery{1};
constexpr double kForever = 3600.0;
constexpr double kStopSeconds = 10.0;  // how long a worker that was asked to stop may go without a sign of life
constexpr int kLargeBuffer = 1 << 20;  // bytes: pictures are larger

}  // namespace

void return_large_buffers([[maybe_unused]] int size) {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, size);
  ::mallopt(M_TRIM_THRESHOLD, size);
  ::malloc_trim(0);
#endif
}

// What belongs to one thread. Shared by the state and the thread, because a thread that hangs may outlive the engine.
struct Worker {
  Pulse pulse;
  StallWatch watch;
  StageClock clock;
  std::optional<std::size_t> chunk;  // in hand; guarded by the state's mutex, as is the rest
  bool busy = false;
  bool ended = false;
  bool given_up = false;
  std::thread thread;
};

class Engine::State : public std::enable_shared_from_this<Engine::State> {
 public:
  State(Job job, const Idle& idle)
      : job_(std::move(job)),
        videos_(describe_videos(job_, idle)),
        sound_(job_),
        resumed_(spooled_chunks()),
        board_(job_, resumed_) {
    report_.damaged_frames.resize(job_.clips.size());
    for (std::size_t i = 0; i < job_.chunks.size(); ++i) {
      frames_total_ += job_.chunks[i].frame_count();
      if (resumed_[i]) report_.resumed_frames += job_.chunks[i].frame_count();
    }
    frames_done_ = report_.resumed_frames;
  }

  void start() {
    return_large_buffers(kLargeBuffer);
    started_ = std::chrono::steady_clock::now();
    const auto workers = static_cast<std::size_t>(std::max(1, job_.workers));
    for (std::size_t i = 0; i < workers; ++i) start_worker(gpu_for(i));
  }

  bool wait(double seconds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::unique_lock lock(mutex_);
    for (;;) {
      give_up_stalled();
      if (running_ == 0) return true;
      const auto now = std::chrono::steady_clock::now();
      if (now >= until) return false;
      const auto next_look = std::min<std::chrono::steady_clock::duration>(
          kLookEvery, std::chrono::duration_cast<std::chrono::steady_clock::duration>(until - now));
      ended_.wait_for(lock, next_look, [this] { return running_ == 0; });
    }
  }

  Progress progress() const {
    return {frames_done_.load(), frames_total_, clips_done_.load(), static_cast<std::int64_t>(job_.clips.size())};
  }

  void cancel() {
    stop_.request_stop();
    changed_.notify_all();
  }

  Report finish() {
    join();
    if (error_) std::rethrow_exception(error_);
    if (clips_done_ != static_cast<std::int64_t>(job_.clips.size())) {
      throw Error(Cause::cancelled, "engine", "to run to its end", "a request to stop", "run again to resume");
    }
    if (job_.observer.observe != nullptr) collect_measures();
    return report_;
  }

  // Waits for the workers to end; one that hangs is left to itself.
  void join() {
    while (!wait(kForever)) {}
    for (const auto& worker : workers_) {
      if (!worker->thread.joinable()) continue;
      if (worker->given_up) {
        worker->thread.detach();
      } else {
        worker->thread.join();
      }
    }
  }

 private:
  std::shared_ptr<gpu::Device> gpu_for(std::size_t worker) const {
    if (worker >= job_.gpu_of.size() || job_.gpu_of[worker] < 0) return nullptr;
    return job_.gpus.at(static_cast<std::size_t>(job_.gpu_of[worker]));
  }

  // The system may refuse a thread: then those that run are stopped, and finish() tells.
  void start_worker(std::shared_ptr<gpu::Device> device) {
    const auto worker = std::make_shared<Worker>();
    const std::lock_guard lock(mutex_);
    try {
      worker->thread = std::thread([state = shared_from_this(), worker, device] { state->work(*worker, device); });
    } catch (const std::system_error& error) {
      if (!error_) {
        error_ = std::make_exception_ptr(
            Error(Cause::engine, "engine", "to start a worker", error.what(), "use fewer --workers"));
      }
      stop_.request_stop();
      return;
    }
    workers_.push_back(worker);
    ++running_;
  }

  std::vector<bool> spooled_chunks() const {
    std::vector<bool> done;
    for (const Chunk& chunk : job_.chunks) done.push_back(is_spooled(chunk));
    return done;
  }

  bool is_spooled(const Chunk& chunk) const {
    for (std::size_t i = 0; i < videos_.size(); ++i) {
      const int measures = i == 0 ? job_.observer.measures : 0;  // of the composite
      if (!is_spool(chunk.spools[i], chunk.frame_count(), measures, videos_[i].parameter_sets)) return false;
    }
    return true;
  }

  void work(Worker& self, const std::shared_ptr<gpu::Device>& device) {
    av::DecodeCounts counts;
    try {
      const auto worker = make_worker(self, device);
      work_through(*worker, self);
      counts = worker->counts();
      note_gpu(*worker);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_ && !self.given_up) error_ = std::current_exception();
      stop_.request_stop();
    }
    self.clock.enter(Stage::wait);
    sign_off(self, counts);
  }

  void work_through(ChunkWorker& worker, Worker& self) {
    std::optional<std::size_t> previous;
    const std::stop_token stop = stop_.get_token();
    while (!stop.stop_requested()) {
      self.clock.enter(Stage::wait);
      self.pulse.beat();
      const auto task = claim(previous, self);
      if (!task) return;
      if (task->kind == Task::Kind::clip) {
        write(task->index, self);
      } else if (task->kind == Task::Kind::sound) {
        sound_.encode_ahead(task->index, stop, self.pulse, self.clock);
        board_.sound_done(task->index);
      } else if (worker.make(job_.chunks[task->index], [this, task] { return next_chunk(task->index); }, stop,
                             self.clock)) {
        board_.chunk_done(task->index);
        previous = task->index;
      }
    }
  }

  // What to do next; waits while others may still make a clip ready. Nothing for a worker that was given up,
  // should it ever wake.
  std::optional<Task> claim(std::optional<std::size_t> previous, Worker& self) {
    std::unique_lock lock(mutex_);
    self.busy = false;
    self.chunk.reset();
    changed_.notify_all();
    while (!self.given_up && !stop_.stop_requested()) {
      if (const auto task = board_.claim(previous)) {
        self.busy = true;
        if (task->kind == Task::Kind::chunk) self.chunk = task->index;
        return task;
      }
      if (!is_anyone_busy()) return std::nullopt;
      changed_.wait_for(lock, kLookEvery);
      self.pulse.beat();
    }
    return std::nullopt;
  }

  bool is_anyone_busy() const {
    return std::ranges::any_of(workers_, [](const auto& worker) { return worker->busy && !worker->given_up; });
  }

  // The chunk after `chunk`, reserved for the worker that makes `chunk`; null if there is none to be had.
  const Chunk* next_chunk(std::size_t chunk) {
    return board_.reserve_next(chunk) ? &job_.chunks[chunk + 1] : nullptr;
  }

  // A worker without a beat for too long is counted as ended; the others go on with what it does not
  // hold, so that their spools are there when the cause is mended. Called with the mutex held.
  void give_up_stalled() {
    const double limit = stop_.stop_requested() ? std::min(kStopSeconds, job_.stall_seconds) : job_.stall_seconds;
    for (const auto& worker : workers_) {
      if (worker->ended || worker->given_up || worker->watch.look(worker->pulse) < limit) continue;
      worker->given_up = true;
      if (worker->chunk) board_.release_next(*worker->chunk);
      changed_.notify_all();
      --running_;
      if (!error_) error_ = std::make_exception_ptr(stalled(*worker));
      if (running_ == 0) ended_.notify_all();
    }
  }

  Error stalled(const Worker& worker) const {
    std::string files, where = "a clip";
    if (worker.chunk) {
      const Chunk& chunk = job_.chunks[*worker.chunk];
      where = "composite frames " + std::to_string(chunk.first_frame) + " to " +
              std::to_string(chunk.first_frame + chunk.frame_count() - 1);
    }
    for (const Take& take : job_.takes) files += (files.empty() ? "" : " and ") + take.files.front().path;
    return Error(Cause::stalled, files, "work on " + where + " to go on",
                 "no progress for " + std::to_string(static_cast<int>(job_.stall_seconds)) + " s",
                 std::string("copy the takes to a local disk, or exclude that stretch") +
                     (uses_a_gpu() ? ", or do without the GPU" : "") + "; what is finished is kept");
  }

  bool uses_a_gpu() const { return !job_.gpus.empty() || !job_.encoder_gpus.empty(); }

  void write(std::size_t index, Worker& self) {
    const auto damaged = write_picture(index, 0, self);
    for (std::size_t picture = 1; picture < job_.picture_count(); ++picture) write_picture(index, picture, self);
    const std::lock_guard lock(mutex_);
    report_.damaged_frames[index] = damaged;
    ++clips_done_;
  }

  std::array<std::int64_t, 2> write_picture(std::size_t index, std::size_t picture, Worker& self) {
    const Clip& clip = job_.clips[index];
    std::vector<std::string> spools;
    for (const int chunk : clip.chunks) spools.push_back(job_.chunks[static_cast<std::size_t>(chunk)].spools[picture]);
    const ClipVideo& video = videos_[picture];
    const ClipStreams streams{video.parameters.get(), video.parameter_sets, video.reorder_depth, job_.video.rate};
    const auto sound = sound_.take(index, picture);
    return write_clip(clip.paths[picture], clip, spools, streams, *sound, self.pulse, self.clock);
  }

  void sign_off(Worker& self, const av::DecodeCounts& counts) {
    const std::lock_guard lock(mutex_);
    self.ended = true;
    self.busy = false;
    changed_.notify_all();
    if (self.given_up) return;
    counts_ += counts;
    if (--running_ > 0) return;
    make_report();
    ended_.notify_all();
  }

  // A GPU that can't be had leaves its work to the cores.
  std::unique_ptr<ChunkWorker> make_worker(Worker& self, const std::shared_ptr<gpu::Device>& device) {
    try {
      return std::make_unique<ChunkWorker>(job_, gate_, frames_done_, self.pulse, device);
    } catch (const Error& error) {
      if (error.cause() != Cause::device) throw;
      const std::lock_guard lock(mutex_);
      for (std::size_t side = 0; side < 2; ++side) {
        if (job_.on_gpu[side]) report_.left_gpu[side] = error.what();
      }
    }
    return std::make_unique<ChunkWorker>(job_, gate_, frames_done_, self.pulse, nullptr);
  }

  void note_gpu(const ChunkWorker& worker) {
    const std::lock_guard lock(mutex_);
    for (std::size_t side = 0; side < 2; ++side) {
      if (report_.left_gpu[side].empty()) report_.left_gpu[side] = worker.left_gpu(side);
    }
  }

  void collect_measures() {
    for (const Chunk& chunk : job_.chunks) {
      const Spool spool(chunk.spools[0]);
      report_.measures.insert(report_.measures.end(), spool.measures().begin(), spool.measures().end());
      for (std::int64_t n = 0; n < chunk.frame_count(); ++n) report_.measured_frames.push_back(chunk.first_frame + n);
    }
  }

  // Whatever a worker did not spend in another stage it waited.
  void make_report() {
    report_.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    report_.workers = static_cast<int>(workers_.size());
    double waited = report_.wall_seconds * report_.workers;
    for (std::size_t i = 0; i < kStages; ++i) {
      StageTime total{kStageNames[i]};
      for (const auto& worker : workers_) {
        if (!worker->ended) continue;  // left to itself
        total.seconds += worker->clock.seconds(static_cast<Stage>(i));
        total.cpu_seconds += worker->clock.cpu_seconds(static_cast<Stage>(i));
      }
      if (static_cast<Stage>(i) != Stage::wait) waited -= total.seconds;
      report_.stages.push_back(total);
    }
    report_.stages[static_cast<std::size_t>(Stage::wait)].seconds = waited;
    report_.shown_frames = counts_.shown;
    report_.lead_in_frames = counts_.lead_in;
    report_.surplus_frames = counts_.surplus;
    report_.composed_frames = frames_done_ - report_.resumed_frames;
    for (const auto& device : job_.gpus) report_.gpus.push_back(device->usage());
  }

  const Job job_;
  EncoderGate gate_;
  const std::vector<ClipVideo> videos_;  // by picture
  JobSound sound_;
  const std::vector<bool> resumed_;
  Board board_;
  Report report_;
  std::int64_t frames_total_ = 0;
  std::atomic<std::int64_t> frames_done_{0}, clips_done_{0};
  av::DecodeCounts counts_;
  std::chrono::steady_clock::time_point started_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable ended_;    // no worker runs any more
  std::condition_variable changed_;  // something that claim() looks at has changed
  std::size_t running_ = 0;
  std::exception_ptr error_;
  std::vector<std::shared_ptr<Worker>> workers_;
};

Engine::Engine(Job job, const Idle& idle) : state_(std::make_shared<State>(std::move(job), idle)) {}
Engine::~Engine() {
  state_->cancel();
  state_->join();
}
void Engine::start() { state_->start(); }
bool Engine::wait(double seconds) { return state_->wait(seconds); }
Progress Engine::progress() const { return state_->progress(); }
void Engine::cancel() { state_->cancel(); }
Report Engine::finish() { return state_->finish(); }

}  // namespace emomedia
