// The engine: a job goes in, clips and a report come out.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emomedia/gpu.h"
#include "emomedia/job.h"
#include "emomedia/media.h"

namespace emomedia {

struct Progress {
  std::int64_t frames_done = 0, frames_total = 0;  // composites, spooled ones included
  std::int64_t clips_done = 0, clips_total = 0;
};

// Time spent in a stage, summed over all workers. `wait` is the time in which a worker had nothing to do.
struct StageTime {
  std::string stage;
  double seconds = 0.0;      // wall time
  double cpu_seconds = 0.0;  // of it, on a core
};

struct Report {
  std::vector<std::array<std::int64_t, 2>> damaged_frames;  // per clip, per side
  std::vector<StageTime> stages;
  double wall_seconds = 0.0;
  int workers = 0;
  // Source frames of both takes that the decoders were given: those that composites show, those between such a frame
  // and its key frame, and those that nothing shown needs.
  std::int64_t shown_frames = 0, lead_in_frames = 0, surplus_frames = 0;
  // What the job's observer measured: the numbers of the composites, ascending, and its values for each, frame after
  // frame. For composites that lay in spools already they are the values measured when those were made.
  std::vector<std::int64_t> measured_frames;
  std::vector<float> measures;
  std::int64_t composed_frames = 0;  // composites made in this run
  std::int64_t resumed_frames = 0;   // composites that lay in spools already
  std::vector<gpu::Usage> gpus;      // of each of the job's
  // By side, why a take that was to be decoded on a GPU was decoded on the cores, at least for a while.
  std::array<std::string, 2> left_gpu;
};

// Opens an encoder with these settings on `gpu` and closes it, to see whether there is one. Throws Error(device) if the
// GPU has none for them, Error(unsupported) if FFmpeg has none or rejects the settings, Error(stalled) if the driver
// hangs. A GPU whose encoder sessions are all in use counts as having one.
void try_encoder(const VideoSettings& settings, std::shared_ptr<gpu::Device> gpu, const Idle& idle = {});

// Makes glibc return buffers of `size` bytes and more to the system as soon as they are freed. By itself it keeps them
// once a process has freed buffers of that size: with an encoder opened for each chunk, the holes between what other
// threads hold add up to a fifth of the peak, and more in a long session. Engine::start() does it from 1 MiB on, which
// costs some milliseconds a chunk; stages that work on arrays, and make new ones all the time, want it from 4 MiB on.
void return_large_buffers(int size = 4 << 20);

// Runs a job on threads of its own. Thread-safe. While somebody waits, a worker that hangs is given up: the others go
// on, finish() throws Error(stalled), and the hanging thread is left alone.
class Engine {
 public:
  // Asks what the encoders give; for a session of a GPU's it waits as long as a worker does. Errors as try_encoder's,
  // and what `idle` throws.
  explicit Engine(Job job, const Idle& idle = {});
  ~Engine();  // cancels and joins
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();
  // Waits for the work to end, at most `seconds`. Returns whether it has.
  bool wait(double seconds);
  Progress progress() const;
  // Asks the workers to stop, which each does after its current frame. Complete spools stay.
  void cancel();
  // To be called after the end. Returns the report, or throws the first error of a worker.
  Report finish();

 private:
  class State;
  std::shared_ptr<State> state_;  // with its workers
};

}  // namespace emomedia
