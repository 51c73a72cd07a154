#include "av/deinterlacer.h"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <utility>

#include "av/check.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

AVFilterContext* add_filter(AVFilterGraph& graph, const char* name, const std::string& arguments,
                            const std::string& subject) {
  const AVFilter* filter = avfilter_get_by_name(name);
  if (filter == nullptr) {
    throw Error(Cause::unsupported, subject, std::string("an FFmpeg with the filter ") + name, "one without",
                "install your distribution's full FFmpeg libraries");
  }
  AVFilterContext* context = nullptr;
  check(avfilter_graph_create_filter(&context, filter, name, arguments.c_str(), nullptr, &graph), subject,
        "set up deinterlacing");
  return context;
}

std::string text(AVRational value) { return std::to_string(value.num) + "/" + std::to_string(value.den); }

}  // namespace

Deinterlacer::Deinterlacer(FieldOrder first, AVRational time_base, std::string subject)
    : first_(first), time_base_(time_base), subject_(std::move(subject)) {}

void Deinterlacer::build(const AVFrame& like) {
  width_ = like.width;
  height_ = like.height;
  format_ = like.format;
  graph_.reset(allocated(avfilter_graph_alloc()));
  graph_->nb_threads = 1;
  const std::string picture = "video_size=" + std::to_string(width_) + "x" + std::to_string(height_) +
                              ":pix_fmt=" + std::to_string(format_) + ":time_base=" + text(time_base_);
  const char* parity = first_ == FieldOrder::top_first ? "tff" : "bff";
  source_ = add_filter(*graph_, "buffer", picture, subject_);
  AVFilterContext* filter =
      add_filter(*graph_, "bwdif", std::string("mode=send_frame:deint=all:parity=") + parity, subject_);
  sink_ = add_filter(*graph_, "buffersink", "", subject_);
  check(avfilter_link(source_, 0, filter, 0), subject_, "set up deinterlacing");
  check(avfilter_link(filter, 0, sink_, 0), subject_, "set up deinterlacing");
  check(avfilter_graph_config(graph_.get(), nullptr), subject_, "set up deinterlacing");
}

void Deinterlacer::send(AVFrame& frame) {
  if (!graph_) build(frame);
  if (frame.width != width_ || frame.height != height_ || frame.format != format_) {
    throw Error(Cause::unsupported, subject_, "frames of one size and kind",
                std::to_string(frame.width) + "x" + std::to_string(frame.height) + " after " +
                    std::to_string(width_) + "x" + std::to_string(height_),
                "split the take where its format changes");
  }
  check(av_buffersrc_add_frame_flags(source_, &frame, 0), subject_, "deinterlace");
}

void Deinterlacer::finish() {
  if (graph_) check(av_buffersrc_add_frame_flags(source_, nullptr, 0), subject_, "deinterlace");
}

bool Deinterlacer::receive(AVFrame& frame) {
  if (!graph_) return false;
  const int code = av_buffersink_get_frame(sink_, &frame);
  if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return false;
  check(code, subject_, "deinterlace");
  frame.pts = av_rescale_q(frame.pts, av_buffersink_get_time_base(sink_), time_base_);
  return true;
}

}  // namespace emomedia::av
