#include "emomedia/frames.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "av/watch.h"
#include "emomedia/error.h"
#include "engine/buffer_pool.h"
#include "engine/composite_reader.h"
#include "gpu/device.h"

namespace emomedia {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(50);
constexpr double kStopSeconds = 10.0;  // without a sign of life that a side has once it was asked to stop

std::size_t buffer_bytes(const PictureFormat& format) {
  std::size_t samples = 0;
  for (int plane = 0; plane < 3; ++plane) {
    samples += static_cast<std::size_t>(format.plane_width(plane)) * static_cast<std::size_t>(format.plane_height(plane));
  }
  return samples * static_cast<std::size_t>(format.sample_bytes());
}

MutablePicture picture_in(std::uint8_t* samples, const PictureFormat& format) {
  MutablePicture picture{format};
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    picture.data[p] = samples;
    picture.stride[p] = format.plane_width(plane) * format.sample_bytes();
    samples += picture.stride[p] * format.plane_height(plane);
  }
  return picture;
}

// Whoever had a buffer may have let go of it while the GPU still reads it for them.
std::shared_ptr<BufferPool> pool_on(const std::shared_ptr<gpu::Device>& device, std::size_t bytes, std::size_t most_idle) {
  return BufferPool::make([device, bytes] { return device->allocate(bytes); }, most_idle, [device] { device->wait(); });
}

void require_valid(const StreamSettings& settings) {
  if (settings.width > 0 && settings.height > 0 && settings.width % 4 == 0 && settings.height % 2 == 0) return;
  throw Error(Cause::unsupported, "composite size", "a width that is a multiple of 4, and an even height",
              std::to_string(settings.width) + "x" + std::to_string(settings.height), "choose another size");
}

// Every source frame must be one that the take has.
void require_valid(const std::array<Take, 2>& takes, const std::vector<Stretch>& stretches) {
  for (std::size_t side = 0; side < 2; ++side) {
    std::int64_t frames = 0;
    for (const TakeFile& file : takes[side].files) frames += static_cast<std::int64_t>(file.pts.size());
    const auto is_there = [frames](std::int64_t index) { return index >= 0 && index < frames; };
    const auto is_whole = [&](const Stretch& stretch) {
      const std::vector<std::int64_t>& source = stretch.source[side];
      return source.size() == stretch.source[0].size() && std::ranges::all_of(source, is_there);
    };
    if (std::ranges::all_of(stretches, is_whole)) continue;
    throw Error(Cause::engine, "source frames", "as many of each take, from 0 to " + std::to_string(frames - 1), "others",
                "ask for frames within the footage");
  }
}

// What one side's thread and the others know of it. All but the pulse is guarded by the state's mutex.
struct Side {
  Pulse pulse;
  StallWatch watch;
  std::thread thread;
  std::int64_t done = 0;     // frames whose half is composed
  std::exception_ptr error;  // met at frame `done`
  bool idle = false;         // waits for room
  bool running = false;
  bool given_up = false;
};

}  // namespace

class FrameStream::State : public std::enable_shared_from_this<State> {
 public:
  State(std::array<Take, 2> takes, std::vector<Stretch> stretches, const StreamSettings& settings)
      : takes_(std::move(takes)),
        stretches_(std::move(stretches)),
        settings_(settings),
        ahead_(std::max(1, settings.ahead)),
        format_{settings.width, settings.height, settings.depth} {
    require_valid(settings);
    require_valid(takes_, stretches_);
    for (const Stretch& stretch : stretches_) total_ += stretch.frame_count();
    const auto in_use = static_cast<std::size_t>(ahead_) + 1;  // by a caller who keeps none but the last
    pool_ = settings.device ? pool_on(settings.device, buffer_bytes(format_), in_use)
                            : BufferPool::make(buffer_bytes(format_), in_use);
  }

  void start() {
    const std::lock_guard lock(mutex_);
    for (std::size_t s = 0; s < 2; ++s) start_side(s);
  }

  PictureFormat format() const { return format_; }
  const std::shared_ptr<gpu::Device>& device() const { return settings_.device; }

  // Whether this process is a copy of the one whose threads work: nothing here can be waited for.
  bool is_a_copy() const { return ::getpid() != process_; }

  std::optional<ComposedFrame> next(const Idle& idle) {
    if (is_a_copy()) {
      throw Error(Cause::engine, "frames", "to be taken by the process that opened them", "a process forked from it",
                  "open them in the process that uses them");
    }
    std::unique_lock lock(mutex_);
    while (!ready_.wait_for(lock, kLookEvery, [this] { return is_settled(); })) {
      lock.unlock();
      if (idle) idle();
      lock.lock();
      give_up_stalled(settings_.stall_seconds);
    }
    if (stopped_ || given_ == total_) return std::nullopt;
    for (const Side& side : sides_) {
      if (side.error && side.done == given_) std::rethrow_exception(side.error);
    }
    ComposedFrame frame = std::move(begun_.front());
    begun_.pop_front();
    ++given_;
    room_.notify_all();
    return frame;
  }

  void close() {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    for (Side& side : sides_) side.pulse.stop();
    room_.notify_all();
    ready_.notify_all();
    const auto ended = [this] { return std::ranges::none_of(sides_, &Side::running); };
    while (!ended_.wait_for(lock, kLookEvery, ended)) give_up_stalled(std::min(kStopSeconds, settings_.stall_seconds));
    std::array<std::thread, 2> threads;
    for (std::size_t s = 0; s < 2; ++s) std::swap(threads[s], sides_[s].thread);
    const std::array<bool, 2> given_up{sides_[0].given_up, sides_[1].given_up};
    lock.unlock();
    for (std::size_t s = 0; s < 2; ++s) {
      if (!threads[s].joinable()) continue;
      if (given_up[s]) {
        threads[s].detach();
      } else {
        threads[s].join();
      }
    }
    pool_->close();
  }

 private:
  // The system may refuse a thread: then the first frame tells. Called with the mutex held.
  void start_side(std::size_t s) {
    Side& side = sides_[s];
    try {
      side.thread = std::thread([state = shared_from_this(), s] { state->work(s); });
      side.running = true;
    } catch (const std::system_error& error) {
      side.error = std::make_exception_ptr(Error(Cause::engine, "frames", "to start a thread that reads a take",
                                                 error.what(), "free memory, or raise the limit of processes"));
    }
  }

  void work(std::size_t s) {
    Side& side = sides_[s];
    std::exception_ptr error;
    try {
      compose_all(s);
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    side.running = false;
    if (error && !side.error) side.error = error;
    ready_.notify_all();
    room_.notify_all();
    ended_.notify_all();
  }

  void compose_all(std::size_t s) {
    CompositeReader reader(takes_, format_.width, format_.height, sides_[s].pulse, {},
                           {settings_.device, settings_.on_gpu, settings_.device != nullptr});
    StageClock clock;
    std::int64_t place = 0;
    for (const Stretch& stretch : stretches_) {
      reader.forget_damage();
      reader.forget();
      std::int64_t number = stretch.first_frame;
      for (const std::int64_t source : stretch.source[s]) {
        const auto picture = begin(s, place, number++);
        if (!picture) return;
        finish(s, place++, reader.render_half(s, source, *picture, clock));
      }
    }
  }

  // The picture of the frame at `place` of all, to draw a half into, once there is room for it; none if
  // nobody will look at it.
  std::optional<MutablePicture> begin(std::size_t s, std::int64_t place, std::int64_t number) {
    Side& side = sides_[s];
    const Side& other = sides_[1 - s];
    const auto is_over = [&] { return stopped_ || side.given_up || (other.error && place > other.done); };
    std::unique_lock lock(mutex_);
    side.idle = true;
    room_.wait(lock, [&] { return is_over() || place < given_ + ahead_; });
    side.idle = false;
    if (is_over()) return std::nullopt;
    side.pulse.beat();
    const auto is_begun = [&] { return static_cast<std::size_t>(place - given_) < begun_.size(); };
    if (!is_begun()) {
      lock.unlock();
      std::shared_ptr<std::uint8_t> samples = pool_->take();  // which may wait for a GPU
      lock.lock();
      if (is_over()) return std::nullopt;
      if (!is_begun()) begun_.push_back({number, std::move(samples), 0});
    }
    return picture_in(begun_[static_cast<std::size_t>(place - given_)].samples.get(), format_);
  }

  void finish(std::size_t s, std::int64_t place, bool damaged) {
    const std::lock_guard lock(mutex_);
    if (sides_[s].given_up) return;
    ComposedFrame& frame = begun_[static_cast<std::size_t>(place - given_)];
    if (damaged) frame.damaged = static_cast<std::uint8_t>(frame.damaged | (1U << s));
    ++sides_[s].done;
    if (sides_[1 - s].done > place || sides_[1 - s].error) ready_.notify_all();
  }

  // Whether next() has its answer: each side has composed its half of the frame, or met an error there.
  bool is_settled() const {
    const auto settled = [this](const Side& side) { return side.done > given_ || side.error; };
    return stopped_ || given_ == total_ || std::ranges::all_of(sides_, settled);
  }

  // A side without a beat for too long is counted as ended. Called with the mutex held.
  void give_up_stalled(double limit) {
    for (std::size_t s = 0; s < 2; ++s) {
      Side& side = sides_[s];
      if (!side.running || side.idle || side.watch.look(side.pulse) < limit) continue;
      side.given_up = true;
      side.running = false;
      side.error = std::make_exception_ptr(
          Error(Cause::stalled, takes_[s].files.front().path, "its frames, one after another",
                "no progress for " + std::to_string(static_cast<int>(limit)) + " s",
                "copy the take to a local disk, or ask for frames before or after that place"));
    }
  }

  const std::array<Take, 2> takes_;
  const std::vector<Stretch> stretches_;
  const StreamSettings settings_;
  const int ahead_;
  const PictureFormat format_;
  const ::pid_t process_ = ::getpid();
  std::int64_t total_ = 0;
  std::shared_ptr<BufferPool> pool_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable ready_, room_, ended_;
  std::array<Side, 2> sides_;
  std::deque<ComposedFrame> begun_;  // from frame given_ on
  std::int64_t given_ = 0;
  bool stopped_ = false;
};

FrameStream::FrameStream(std::array<Take, 2> takes, std::vector<Stretch> stretches, const StreamSettings& settings)
    : state_(std::make_shared<State>(std::move(takes), std::move(stretches), settings)) {
  state_->start();
}

FrameStream::~FrameStream() {
  if (state_->is_a_copy()) {
    new std::shared_ptr<State>(std::move(state_));  // its mutex and threads are those of another process
  } else {
    state_->close();
  }
}

PictureFormat FrameStream::format() const { return state_->format(); }
std::shared_ptr<gpu::Device> FrameStream::device() const { return state_->device(); }
std::optional<ComposedFrame> FrameStream::next(const Idle& idle) { return state_->next(idle); }
void FrameStream::close() {
  if (!state_->is_a_copy()) state_->close();
}

}  // namespace emomedia
