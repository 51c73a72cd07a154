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
  return compose_filters({take.format, take.siting, take.rotate, take.crop, width / 2, height});
}

std::string describe(const PictureFormat& f) {
  return std::to_string(f.width) + "x" + std::to_string(f.height) + ", " + std::to_string(f.depth) + " bit, chroma 1/" +
         std::to_string(f.sub_x) + " x 1/" + std::to_string(f.sub_y);
}

}  // namespace

TakeReader::TakeReader(const Take& take) : take_(take), readers_(take.files.size()) {
  std::int64_t index = 0;
  for (const TakeFile& file : take.files) {
    first_index_.push_back(index);
    index += static_cast<std::int64_t>(file.pts.size());
  }
}

TakeReader::Shown TakeReader::at(std::int64_t index) {
  const auto after = std::upper_bound(first_index_.begin(), first_index_.end(), index);
  const auto number = static_cast<std::size_t>(after - first_index_.begin() - 1);
  const TakeFile& file = take_.files[number];
  if (!readers_[number]) readers_[number] = std::make_unique<av::FrameReader>(file);
  const av::FrameReader::Shown shown = readers_[number]->at(index - first_index_[number]);
  return {checked_view(*shown.frame, file), shown.damaged};
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
  for (const auto& reader : readers_) {
    if (reader) reader->forget_damage();
  }
}

std::int64_t TakeReader::decoded_frames() const {
  std::int64_t frames = 0;
  for (const auto& reader : readers_) frames += reader ? reader->decoded_frames() : 0;
  return frames;
}

CompositeReader::CompositeReader(const std::array<Take, 2>& takes, int width, int height)
    : takes_(takes),
      readers_{TakeReader(takes[0]), TakeReader(takes[1])},
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
  const auto s = static_cast<std::size_t>(side);
  const ComposeKernels& kernels = compose_kernels();
  for (int plane = 0; plane < 3; ++plane) {
    const auto p = static_cast<std::size_t>(plane);
    const PlaneFilter& filter = filters_[s][p];
    PlaneTask task;
    task.source = upright(source.data[p], source.stride[p], source.format.plane_width(plane),
                          source.format.plane_height(plane), source.format.sample_bytes(), takes_[s].rotate);
    task.depth = source.format.depth;
    task.filter = &filter;
    task.output = composite.data[p] + side * filter.cols.size() * composite.format.sample_bytes();
    task.output_stride = composite.stride[p];
    task.output_depth = composite.format.depth;
    scratch_.reserve(task);
    kernels.plane(task, scratch_);
  }
}

void CompositeReader::forget_damage() {
  for (TakeReader& reader : readers_) reader.forget_damage();
}

std::int64_t CompositeReader::decoded_frames() const {
  return readers_[0].decoded_frames() + readers_[1].decoded_frames();
}

}  // namespace emomedia
