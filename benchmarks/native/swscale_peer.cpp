// swscale's Lanczos-3: what FFmpeg's `scale=flags=lanczos` does, on one thread.
extern "C" {
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <stdexcept>

#include "peer.h"

namespace emomedia::bench {
namespace {

struct SwsFree {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};

// Chroma's place in 1/256 of a luma sample: 0 shares the first luma sample's centre, 128 lies between two.
void set_siting(SwsContext* context, const char* horizontal, const char* vertical, Siting siting) {
  av_opt_set_int(context, horizontal, siting == Siting::left ? 0 : 128, 0);
  av_opt_set_int(context, vertical, siting == Siting::left ? 128 : 0, 0);
}

class SwscalePeer final : public Peer {
 public:
  SwscalePeer(const PictureFormat& source, Siting siting, int width, int height, bool accurate)
      : accurate_(accurate), context_(sws_alloc_context()) {
    SwsContext* context = context_.get();
    if (context == nullptr) throw std::bad_alloc();
    av_opt_set_int(context, "srcw", source.width, 0);
    av_opt_set_int(context, "srch", source.height, 0);
    av_opt_set_int(context, "src_format", source.depth > 8 ? AV_PIX_FMT_YUV420P10 : AV_PIX_FMT_YUV420P, 0);
    av_opt_set_int(context, "dstw", width, 0);
    av_opt_set_int(context, "dsth", height, 0);
    av_opt_set_int(context, "dst_format", AV_PIX_FMT_YUV420P, 0);
    av_opt_set_int(context, "sws_flags", SWS_LANCZOS | (accurate ? SWS_ACCURATE_RND : 0), 0);
    av_opt_set_double(context, "param0", 3, 0);
    set_siting(context, "src_h_chr_pos", "src_v_chr_pos", siting);
    set_siting(context, "dst_h_chr_pos", "dst_v_chr_pos", Siting::left);
    if (sws_init_context(context, nullptr, nullptr) < 0) throw std::runtime_error("swscale refuses the formats");
  }

  std::string name() const override {
    const unsigned version = swscale_version();
    return "swscale " + std::to_string(version >> 16) + "." + std::to_string(version >> 8 & 255) + "." +
           std::to_string(version & 255) + (accurate_ ? " (accurate_rnd)" : "");
  }

  void compose(const PictureView& source, const MutablePicture& output) override {
    std::array<int, 4> from{}, to{};
    std::array<const std::uint8_t*, 4> read{};
    std::array<std::uint8_t*, 4> write{};
    for (std::size_t p = 0; p < 3; ++p) {
      from[p] = static_cast<int>(source.stride[p]);
      to[p] = static_cast<int>(output.stride[p]);
      read[p] = source.data[p];
      write[p] = output.data[p];
    }
    const int rows = sws_scale(context_.get(), read.data(), from.data(), 0, source.format.height, write.data(), to.data());
    if (rows != output.format.height) throw std::runtime_error("swscale made " + std::to_string(rows) + " rows");
  }

 private:
  bool accurate_;
  std::unique_ptr<SwsContext, SwsFree> context_;
};

}  // namespace

std::unique_ptr<Peer> swscale_peer(const PictureFormat& source, Siting siting, int width, int height, bool accurate) {
  return std::make_unique<SwscalePeer>(source, siting, width, height, accurate);
}

}  // namespace emomedia::bench
