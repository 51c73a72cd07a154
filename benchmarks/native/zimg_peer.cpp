// zimg's Lanczos-3: the graph that `zscale=filter=lanczos` would build.
#include <zimg++.hpp>

#include "peer.h"

namespace emomedia::bench {
namespace {

zimgxx::zimage_format format_of(const PictureFormat& picture, Siting siting) {
  zimgxx::zimage_format format;
  format.width = static_cast<unsigned>(picture.width);
  format.height = static_cast<unsigned>(picture.height);
  format.pixel_type = picture.depth > 8 ? ZIMG_PIXEL_WORD : ZIMG_PIXEL_BYTE;
  format.depth = static_cast<unsigned>(picture.depth);
  format.subsample_w = picture.sub_x - 1;
  format.subsample_h = picture.sub_y - 1;
  format.color_family = ZIMG_COLOR_YUV;
  format.matrix_coefficients = ZIMG_MATRIX_BT709;
  format.transfer_characteristics = ZIMG_TRANSFER_BT709;
  format.color_primaries = ZIMG_PRIMARIES_BT709;
  format.pixel_range = ZIMG_RANGE_LIMITED;
  // A picture that was left-sited before it was turned by a quarter has its chroma at the top.
  format.chroma_location = siting == Siting::left ? ZIMG_CHROMA_LEFT : ZIMG_CHROMA_TOP;
  return format;
}

zimgxx::FilterGraph graph_of(const PictureFormat& source, Siting siting, int width, int height, bool wide) {
  zimgxx::zfilter_graph_builder_params params;
  params.resample_filter = params.resample_filter_uv = ZIMG_RESIZE_LANCZOS;
  params.filter_param_a = params.filter_param_a_uv = 3;
  params.dither_type = ZIMG_DITHER_NONE;
  params.cpu_type = wide ? ZIMG_CPU_AUTO_64B : ZIMG_CPU_AUTO;
  return zimgxx::FilterGraph::build(format_of(source, siting), format_of({width, height}, Siting::left), &params);
}

class ZimgPeer final : public Peer {
 public:
  ZimgPeer(const PictureFormat& source, Siting siting, int width, int height, bool wide)
      : wide_(wide), graph_(graph_of(source, siting, width, height, wide)) {
    const std::size_t size = (graph_.get_tmp_size() + kAlignment - 1) / kAlignment * kAlignment;
    scratch_.reset(std::aligned_alloc(kAlignment, size));
    if (!scratch_) throw std::bad_alloc();
  }

  std::string name() const override {
    unsigned major = 0, minor = 0, micro = 0;
    zimg_get_version_info(&major, &minor, &micro);
    return "zimg " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(micro) +
           (wide_ ? " (vectors of 64 bytes)" : " (vectors of 32 bytes)");
  }

  void compose(const PictureView& source, const MutablePicture& output) override {
    zimgxx::zimage_buffer_const from;
    zimgxx::zimage_buffer to;
    for (std::size_t p = 0; p < 3; ++p) {
      const auto plane = static_cast<unsigned>(p);
      from.data(plane) = source.data[p];
      from.stride(plane) = source.stride[p];
      from.mask(plane) = ZIMG_BUFFER_MAX;
      to.data(plane) = output.data[p];
      to.stride(plane) = output.stride[p];
      to.mask(plane) = ZIMG_BUFFER_MAX;
    }
    graph_.process(from, to, scratch_.get());
  }

 private:
  bool wide_;
  zimgxx::FilterGraph graph_;
  std::unique_ptr<void, Free> scratch_;
};

}  // namespace

std::unique_ptr<Peer> zimg_peer(const PictureFormat& source, Siting siting, int width, int height, bool wide) {
  return std::make_unique<ZimgPeer>(source, siting, width, height, wide);
}

}  // namespace emomedia::bench
