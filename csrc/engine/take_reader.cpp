#include "engine/take_reader.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>

#include "av/names.h"
#include "emomedia/error.h"

namespace emomedia {
namespace {

std::string describe(const PictureFormat& f) {
  return std::to_string(f.width) + "x" + std::to_string(f.height) + ", " + std::to_string(f.depth) + " bit, chroma 1/" +
         std::to_string(f.sub_x) + " x 1/" + std::to_string(f.sub_y);
}

std::string not_taken(const std::string& refusal) {
  return "streams that FFmpeg does not have the GPU decode" + (refusal.empty() ? "" : " (" + refusal + ")");
}

}  // namespace

TakeReader::TakeReader(const Take& take, Pulse& pulse, gpu::Queue* queue)
    : take_(take), pulse_(pulse), queue_(queue), decoding_(queue != nullptr ? Decoding::gpu : Decoding::cores) {
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

// A GPU does not conceal damage as libav does on the cores, and tells of little of it. So where there is some, or
// it fails, the cores decode instead: from a key frame on, and the same pictures as without a GPU.
TakeReader::Shown TakeReader::at(std::int64_t index) {
  if (decoding_ != Decoding::gpu) return show(index);
  try {
    const Shown shown = show(index);
    if (!shown.damaged) return shown;
    left_gpu_ = "damaged frames, which the cores decode";
    switch_to(Decoding::cores_for_damage);
  } catch (const Error& error) {
    if (error.cause() == Cause::stalled || error.cause() == Cause::cancelled) throw;
    leave_gpu(error.what());
  }
  return show(index);
}

TakeReader::Shown TakeReader::show(std::int64_t index) {
  const std::size_t number = file_of(index);
  const TakeFile& file = take_.files[number];
  if (!reader_ || number != open_file_) open(number);
  const av::FrameReader::Shown shown = reader_->at(index - first_index_[number]);
  if (decoding_ == Decoding::gpu) {
    if (auto there = queue_->locate(*shown.frame, take_.format)) return {{}, there, shown.damaged};
    if (left_gpu_.empty()) left_gpu_ = not_taken(reader_->refusal());
  }
  return {checked_view(*shown.frame, file), std::nullopt, shown.damaged};
}

void TakeReader::leave_gpu(const std::string& reason) {
  left_gpu_ = reason;
  switch_to(Decoding::cores);
}

void TakeReader::switch_to(Decoding decoding) {
  if (decoding_ == decoding) return;
  close();
  decoding_ = decoding;
}

// One file at a time: a decoder holds many pictures, and a take may have hundreds of files.
void TakeReader::open(std::size_t number) {
  close();
  AVBufferRef* device = decoding_ == Decoding::gpu ? queue_->decoding() : nullptr;
  reader_ = std::make_unique<av::FrameReader>(take_.files[number], take_.fields, pulse_, device);
  open_file_ = number;
  pass_on_expected();
}

void TakeReader::close() {
  counts_before_ = counts();
  reader_.reset();
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

// What comes is not known to be damaged: back to the GPU.
void TakeReader::forget_damage() {
  if (decoding_ == Decoding::cores_for_damage) switch_to(Decoding::gpu);
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

}  // namespace emomedia
