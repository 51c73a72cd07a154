// Peers of upright pictures, given pictures that lie on their side: libavfilter crops and turns them first.
extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <stdexcept>

#include "av/handles.h"
#include "peer.h"

namespace emomedia::bench {

PictureView cropped(const PictureView& source, const Crop& crop) {
  PictureView view = source;
  view.format.width = crop.width;
  view.format.height = crop.height;
  for (std::size_t p = 0; p < 3; ++p) {
    const int sub_x = p == 0 ? 1 : source.format.sub_x, sub_y = p == 0 ? 1 : source.format.sub_y;
    view.data[p] += crop.y / sub_y * source.stride[p] + crop.x / sub_x * source.format.sample_bytes();
  }
  return view;
}

namespace {

void require(int code, const char* what) {
  if (code < 0) throw std::runtime_error(std::string("libavfilter: ") + what);
}

struct GraphFree {
  void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
};

// crop, which copies nothing, then transpose=clock.
class Turner {
 public:
  explicit Turner(const Task& task) : format_(task.source), graph_(avfilter_graph_alloc()), turned_(av_frame_alloc()) {
    graph_->nb_threads = 1;
    const int pixels = format_.depth > 8 ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
    const std::string source = "video_size=" + size(format_.width, format_.height) + ":time_base=1/25:pixel_aspect=1/1" +
                               ":pix_fmt=" + std::to_string(pixels);
    // The crop as coded: a clockwise quarter makes columns of rows.
    const Crop& c = task.crop;
    const std::string crop = std::to_string(c.height) + ":" + std::to_string(c.width) + ":" + std::to_string(c.y) + ":" +
                             std::to_string(format_.height - c.x - c.width);
    source_ = add("buffer", source);
    AVFilterContext* cropping = add("crop", crop);
    AVFilterContext* turning = add("transpose", "clock");
    sink_ = add("buffersink", "");
    require(avfilter_link(source_, 0, cropping, 0), "link");
    require(avfilter_link(cropping, 0, turning, 0), "link");
    require(avfilter_link(turning, 0, sink_, 0), "link");
    require(avfilter_graph_config(graph_.get(), nullptr), "configure");
  }

  PictureView turn(const PictureView& source) {
    const av::Frame frame = borrowed(source);
    av_frame_unref(turned_.get());
    require(av_buffersrc_add_frame_flags(source_, frame.get(), AV_BUFFERSRC_FLAG_KEEP_REF), "add a frame");
    require(av_buffersink_get_frame(sink_, turned_.get()), "get a frame");
    PictureView view;
    view.format = format_;
    view.format.width = turned_->width;
    view.format.height = turned_->height;
    for (std::size_t p = 0; p < 3; ++p) {
      view.data[p] = turned_->data[p];
      view.stride[p] = turned_->linesize[p];
    }
    return view;
  }

 private:
  static std::string size(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

  AVFilterContext* add(const char* name, const std::string& arguments) {
    AVFilterContext* context = nullptr;
    require(avfilter_graph_create_filter(&context, avfilter_get_by_name(name), name, arguments.c_str(), nullptr,
                                         graph_.get()),
            name);
    return context;
  }

  static void keep(void*, std::uint8_t*) {}

  // A frame of libav's that looks at memory of the pool's.
  static av::Frame borrowed(const PictureView& source) {
    av::Frame frame(av_frame_alloc());
    if (!frame) throw std::bad_alloc();
    frame->width = source.format.width;
    frame->height = source.format.height;
    frame->format = source.format.depth > 8 ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P;
    for (std::size_t p = 0; p < 3; ++p) {
      auto* data = const_cast<std::uint8_t*>(source.data[p]);
      const std::ptrdiff_t bytes = source.stride[p] * source.format.plane_height(static_cast<int>(p));
      frame->data[p] = data;
      frame->linesize[p] = static_cast<int>(source.stride[p]);
      frame->buf[p] = av_buffer_create(data, static_cast<std::size_t>(bytes), keep, nullptr, AV_BUFFER_FLAG_READONLY);
      if (frame->buf[p] == nullptr) throw std::bad_alloc();
    }
    return frame;
  }

  PictureFormat format_;
  std::unique_ptr<AVFilterGraph, GraphFree> graph_;
  AVFilterContext *source_ = nullptr, *sink_ = nullptr;
  av::Frame turned_;
};

class UprightPeer final : public Peer {
 public:
  UprightPeer(const Task& task, std::unique_ptr<Peer> scaler) : crop_(task.crop), scaler_(std::move(scaler)) {}

  std::string name() const override { return scaler_->name(); }
  void compose(const PictureView& source, const MutablePicture& output) override {
    scaler_->compose(cropped(source, crop_), output);
  }

 private:
  Crop crop_;
  std::unique_ptr<Peer> scaler_;
};

class TurnedPeer final : public Peer {
 public:
  TurnedPeer(const Task& task, std::unique_ptr<Peer> scaler) : turner_(task), scaler_(std::move(scaler)) {}

  std::string name() const override { return scaler_->name() + " after libavfilter's transpose"; }
  void compose(const PictureView& source, const MutablePicture& output) override {
    scaler_->compose(turner_.turn(source), output);
  }

 private:
  Turner turner_;
  std::unique_ptr<Peer> scaler_;
};

std::unique_ptr<Peer> scaler_of(const Task& task, const std::string& kind) {
  PictureFormat source = task.source;
  source.width = task.crop.width;
  source.height = task.crop.height;
  const Siting siting = task.rotate == 0 ? Siting::left : Siting::top_left;
  if (kind == "zimg") return zimg_peer(source, siting, task.width, task.height, true);
  if (kind == "zimg-32") return zimg_peer(source, siting, task.width, task.height, false);
  if (kind == "swscale") return swscale_peer(source, siting, task.width, task.height, true);
  if (kind == "swscale-fast") return swscale_peer(source, siting, task.width, task.height, false);
  throw std::invalid_argument("no peer " + kind);
}

}  // namespace

std::unique_ptr<Peer> other_peer(const Task& task, const std::string& kind) {
  if (task.rotate != 0 && task.rotate != 90) throw std::invalid_argument("peers turn pictures by 0 or 90 degrees");
  auto scaler = scaler_of(task, kind);
  if (task.rotate == 0) return std::make_unique<UprightPeer>(task, std::move(scaler));
  return std::make_unique<TurnedPeer>(task, std::move(scaler));
}

}  // namespace emomedia::bench
