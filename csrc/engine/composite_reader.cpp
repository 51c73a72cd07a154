#include "engine/composite_reader.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <string>

#include "av/names.h"
#include "emomedia/error.h"

namespace emomedia {
namespace {

std::string describe(const PictureFormat& f) {
  return std::to_string(f.width) + "x" + std::to_string(f.height) + ", " + std::to_string(f.depth) + " bit, chroma 1/" +
         std::to_string(f.sub_x) + " x 1/" + std::to_string(f.sub_y);
}

// The part of a composite that shows a side.
MutablePicture half_of(const MutablePicture& composite, std::size_t side) {
  MutablePicture half = composite;
  half.format.width = composite.format.width / 2;
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const int across = half.format.plane_width(static_cast<int>(plane)) * half.format.sample_bytes();
    half.data[plane] += side * static_cast<std::size_t>(across);
  }
  return half;
}

}  // namespace

TakeReader::TakeReader(const Take& take, Pulse& pulse) : take_(take), pulse_(pulse) {
  std::int64_t index = 0;
  for (const TakeFile& file : take.files) {
    first_index_.push_back(index);
    index += static_cast<std::int64_t>(file.pts.size());
  }
}

std::size_t TakeReader::file_of(std::int64_t index) const {
  const auto after = std::upper_bound(first_index_.begin(), first_index_.end(), index);
  return static_cast<std::size_t>(after - first_index_.begin() - 1);
}

TakeReader::Shown TakeReader::at(std::int64_t index) {
  const std::size_t number = file_of(index);
  const TakeFile& file = take_.files[number];
  if (!reader_ || number != open_file_) open(number);
  const av::FrameReader::Shown shown = reader_->at(index - first_index_[number]);
  return {checked_view(*shown.frame, file), shown.damaged};
}

// One file at a time: a decoder holds many pictures, and a take may have hundreds of files.
void TakeReader::open(std::size_t number) {
  counts_before_ = counts();
  reader_.reset();
  reader_ = std::make_unique<av::FrameReader>(take_.files[number], take_.fields, pulse_);
  open_file_ = number;
  pass_on_expected();
}

void TakeReader::expect(std::int64_t last, const av::WantedNext& next) {
  last_ = last;
  next_ = next;
  if (reader_) pass_on_expected();
}

// What is expected of the open file; its end ends the reading where that lies in a later one.
void TakeReader::pass_on_expected() {
  if (!last_) return;
  const std::int64_t base = first_index_[open_file_];
  const auto last_of_file = static_cast<std::int64_t>(take_.files[open_file_].pts.size()) - 1;
  const auto next = [this, base, last_of_file]() -> std::optional<av::FrameRange> {
    const auto more = next_ ? next_() : std::nullopt;
    if (!more || more->first < base || more->first - base > last_of_file) return std::nullopt;
    return av::FrameRange{more->first - base, std::min(more->last - base, last_of_file)};
  };
  reader_->expect(std::clamp<std::int64_t>(*last_ - base, 0, last_of_file), next);
}

PictureView TakeReader::checked_view(const AVFrame& frame, const TakeFile& file) const {
  const auto pixels = static_cast<AVPixelFormat>(frame.format);
  const PictureFormat format = av::picture_format(pixels, frame.width, frame.height);
  if (!av::composable(pixels) || format != take_.format) {
    throw Error(Cause::unsupported, file.path, "every frame as " + describe(take_.format),
                describe(format) + " (" + av::name_or(av_get_pix_fmt_name(pixels), "unknown") + ")",
                "split the take where its format changes");
  }
  PictureView view{format};
  for (std::size_t plane = 0; plane < 3; ++plane) {
    view.data[plane] = frame.data[plane];
    view.stride[plane] = frame.linesize[plane];
  }
  return view;
}

void TakeReader::forget_damage() {
  if (reader_) reader_->forget_damage();
}

void TakeReader::forget() {
  if (reader_) reader_->forget();
}

av::DecodeCounts TakeReader::counts() const {
  av::DecodeCounts all = counts_before_;
  if (reader_) all += reader_->counts();
  return all;
}

CompositeReader::CompositeReader(const std::array<Take, 2>& takes, int width, int height, Pulse& pulse,
                                 const std::vector<SidePicture>& sides)
    : readers_{TakeReader(takes[0], pulse), TakeReader(takes[1], pulse)},
      halves_{SideComposer(takes[0], takes[0].crop, width / 2, height, scratch_),
              SideComposer(takes[1], takes[1].crop, width / 2, height, scratch_)} {
  for (const SidePicture& side : sides) {
    const Take& take = takes[side.side];
    const bool half = 2 * side.width == width && side.height == height && side.crop == take.crop;
    auto& alone = alone_.emplace_back();
    if (!half) alone.emplace(Alone{side.side, SideComposer(take, side.crop, side.width, side.height, scratch_)});
  }
}

std::uint8_t CompositeReader::render(const std::array<std::int64_t, 2>& source, const MutablePicture& composite,
                                     StageClock& clock) {
  std::uint8_t damaged = 0;
  for (std::size_t side = 0; side < 2; ++side) {
    if (render_half(side, source[side], composite, clock)) damaged = static_cast<std::uint8_t>(damaged | (1U << side));
  }
  return damaged;
}

bool CompositeReader::render_half(std::size_t side, std::int64_t source, const MutablePicture& composite,
                                  StageClock& clock) {
  clock.enter(Stage::decode);
  const TakeReader::Shown shown = readers_[side].at(source);
  clock.enter(Stage::compose);
  halves_[side].compose(shown.picture, half_of(composite, side));
  shown_[side] = shown.picture;
  return shown.damaged;
}

void CompositeReader::render_side(std::size_t number, const MutablePicture& picture, StageClock& clock) {
  clock.enter(Stage::compose);
  Alone& alone = *alone_[number];
  alone.composer.compose(shown_[alone.side], picture);
}

void CompositeReader::forget_damage() {
  for (TakeReader& reader : readers_) reader.forget_damage();
}

void CompositeReader::forget() {
  for (TakeReader& reader : readers_) reader.forget();
}

void CompositeReader::expect(const Chunk& chunk, const NextChunk& next) {
  for (std::size_t side = 0; side < 2; ++side) {
    readers_[side].expect(chunk.source[side].back(), [next, side]() -> std::optional<av::FrameRange> {
      const Chunk* following = next ? next() : nullptr;
      if (following == nullptr) return std::nullopt;
      return av::FrameRange{following->source[side].front(), following->source[side].back()};
    });
  }
}

av::DecodeCounts CompositeReader::counts() const {
  av::DecodeCounts all = readers_[0].counts();
  all += readers_[1].counts();
  return all;
}

}  // namespace emomedia
