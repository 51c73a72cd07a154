#include "emomedia/composites.h"

#include <memory>
#include <utility>

#include "av/watch.h"
#include "engine/composite_reader.h"
#include "engine/stage_clock.h"

namespace emomedia {

class Composites::State {
 public:
  State(std::array<Take, 2> takes, int width, int height, int depth)
      : takes_(std::move(takes)), format_{width, height, depth}, reader_(takes_, width, height, pulse_) {}

  PictureFormat format() const { return format_; }
  std::uint8_t render(const std::array<std::int64_t, 2>& source, const MutablePicture& picture) {
    return reader_.render(source, picture, clock_);
  }

 private:
  const std::array<Take, 2> takes_;
  PictureFormat format_;
  Pulse pulse_;
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
