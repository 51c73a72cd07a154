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

// What a stage took, over all workers; of `wait`, all of a run in which a worker had nothing to do.
struct StageTime {
  std::string stage;
  double seconds = 0.0;      // that passed
  double cpu_seconds = 0.0;  // of these, on a core
};

struct Report {
  std::vector<std::array<std::int64_t, 2>> damaged_frames;  // per clip, per side
  std::vector<StageTime> stages;
  double wall_seconds = 0.0;
  int workers = 0;
  // Source frames of both takes that the decoders were given: those that composites show, those that only lie
  // between one of these and its key frame, and those that nothing shown needs.
  std::int64_t shown_frames = 0, lead_in_frames = 0, surplus_frames = 0;
  // What the job's observer measured: the frames' numbers, ascending, and its values for each, one frame after
  // another; those of frames that lay in spools already are the ones of back then.
  std::vector<std::int64_t> measured_frames;
  std::vector<float> measures;
  std::int64_t composed_frames = 0;  // composites made in this run
  std::int64_t resumed_frames = 0;   // composites that lay in spools already
  std::vector<gpu::Usage> gpus;      // of each of the job's
  // By side why a take that was to be decoded on a GPU was decoded on the cores, for a while or from then on.
  std::array<std::string, 2> left_gpu;
};

// Opens an encoder as the settings say, on `gpu`, and closes it. Throws Error(device) where the GPU has none for
// them, Error(unsupported) where FFmpeg has none or it doesn't know the settings, Error(stalled) where the driver hangs.
// One whose sessions are all taken just now is one that has it.
void try_encoder(const VideoSettings& settings, std::shared_ptr<gpu::Device> gpu, const Idle& idle = {});

// Has this process's large buffers given back when they are freed; Engine::start() does it too.
// glibc keeps what was freed for later once a process has freed buffers as large: with an encoder opened for
// each chunk, holes between what other threads hold add up to a fifth of the peak, and more in a long session.
// A fixed threshold costs some milliseconds a chunk.
void return_large_buffers();

// Runs a job on threads of its own. Thread-safe. A worker that hangs is given up while somebody waits:
// the others go on, finish() throws Error(stalled), and the thread is left to itself.
class Engine {
 public:
  // Asks what the encoders give; for a session of a GPU's it waits as long as a worker does. Errors as try_encoder's,
  // and what `idle` throws.
  explicit Engine(Job job, const Idle& idle = {});
  ~Engine();  // cancels and joins
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();
  // Waits until the work has ended, `seconds` at the most; true when it has.
  bool wait(double seconds);
  Progress progress() const;
  // Asks the workers to stop; each does after the frame in hand. Spools that are whole stay.
  void cancel();
  // After the end: the report, or the first error of a worker.
  Report finish();

 private:
  class State;
  std::shared_ptr<State> state_;  // with its workers
};

// Composites of a list of source frames, in order, before any encoder: for tests and for programs that
// want frames. Single-threaded.
class Composites {
 public:
  Composites(std::array<Take, 2> takes, int width, int height, int depth);
  ~Composites();
  Composites(Composites&&) noexcept;

  PictureFormat format() const;
  // Draws the composite of these frames into `picture`; returns the damaged sides as bits.
  std::uint8_t render(const std::array<std::int64_t, 2>& source, const MutablePicture& picture);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace emomedia
