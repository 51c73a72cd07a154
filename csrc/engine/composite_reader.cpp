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

std::array<PlaneFilter, 3> half_filters(const Take& take, int width, int height) {
  if (take.color) require_valid(*take.color);
  return compose_filters(
      {take.format, take.siting, take.rotate, take.mirrored, take.crop, width / 2, height, take.color.has_value()});
}

PlaneTask plane_task(const Take& take, const PictureView& source, int plane, const PlaneFilter& filter) {
  const auto p = static_cast<std::size_t>(plane);
  PlaneTask task;
  task.source = upright(source.data[p], source.stride[p], source.format.plane_width(plane),
                        source.format.plane_height(plane), source.format.sample_bytes(), take.rotate, take.mirrored);
  task.depth = source.format.depth;
  task.filter = &filter;
  return task;
}

std::string describe(const PictureFormat& f) {
  return std::to_string(f.width) + "x" + std::to_string(f.height) + ", " + std::to_string(f.depth) + " bit, chroma 1/" +
         std::to_string(f.sub_x) + " x 1/" + std::to_string(f.sub_y);
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

CompositeReader::CompositeReader(const std::array<Take, 2>& takes, int width, int height, Pulse& pulse)
    : takes_(takes),
      readers_{TakeReader(takes[0], pulse), TakeReader(takes[1], pulse)},
      filters_{half_filters(takes[0], width, height), half_filters(takes[1], width, height)} {}

std::uint8_t CompositeReader::render(const std::array<std::int64_t, 2>& source, const MutablePicture& composite,
                                     StageClock& clock) {
  std::uint8_t damaged = 0;
  for (int side = 0; side < 2; ++side) {
    const auto s = static_cast<std::size_t>(side);
    clock.enter(Stage::decode);
    const TakeReader::Shown shown = readers_[s].at(source[s]);
    if (shown.damaged) damaged = static_cast<std::uint8_t>(damaged | (1U << s));
    clock.enter(Stage::compose);
    compose_half(side, shown.picture, composite);
  }
  return damaged;
}

void CompositeReader::compose_half(int side, const PictureView& source, const MutablePicture& composite) {
  if (takes_[static_cast<std::size_t>(side)].color) {
    compose_in_other_colors(side, source, composite);
    return;
  }
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    compose_plane(side, source, plane, half_plane(composite, side, plane), composite.stride[p],
                  composite.format.depth);
  }
}

std::uint8_t* CompositeReader::half_plane(const MutablePicture& composite, int side, int plane) const {
  const int half_width = composite.format.plane_width(plane) / 2;
  return composite.data[static_cast<std::size_t>(plane)] + side * half_width * composite.format.sample_bytes();
}

void CompositeReader::compose_plane(int side, const PictureView& source, int plane, std::uint8_t* output,
                                    std::ptrdiff_t output_stride, int output_depth) {
  const auto s = static_cast<std::size_t>(side);
  PlaneTask task = plane_task(takes_[s], source, plane, filters_[s][static_cast<std::size_t>(plane)]);
  task.output = output;
  task.output_stride = output_stride;
  task.output_depth = output_depth;
  scratch_.reserve(task);
  compose_kernels().plane(task, scratch_);
}

// Composed as 4:4:4 with more bits first, then converted: the conversion costs what the composite's
// size costs, not the take's.
void CompositeReader::compose_in_other_colors(int side, const PictureView& source, const MutablePicture& composite) {
  const int width = composite.format.width / 2, height = composite.format.height;
  ColorTask task;
  task.source_stride = width;
  task.width = width;
  task.height = height;
  task.output_depth = composite.format.depth;
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    std::vector<std::uint16_t>& samples = full_chroma_[p];
    samples.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    compose_plane(side, source, plane, reinterpret_cast<std::uint8_t*>(samples.data()),
                  width * static_cast<std::ptrdiff_t>(sizeof(std::uint16_t)), kColorDepth);
    task.source[p] = samples.data();
    task.output[p] = half_plane(composite, side, plane);
    task.output_stride[p] = composite.stride[p];
  }
  color_scratch_.reserve(width);
  color_half(task, *takes_[static_cast<std::size_t>(side)].color, color_scratch_);
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
