// emomedia's own kernels: crop, turn and scale in one pass.
#include "kernels/compose.h"

#include "peer.h"

namespace emomedia::bench {
namespace {

class EmomediaPeer final : public Peer {
 public:
  explicit EmomediaPeer(const Task& task) : kernels_(compose_kernels()) {
    HalfGeometry geometry;
    geometry.source = task.source;
    geometry.rotate = task.rotate;
    geometry.crop = task.crop;
    geometry.width = task.width;
    geometry.height = task.height;
    filters_ = packed_filters(geometry);
  }

  std::string name() const override { return std::string("emomedia ") + kernels_.name; }

  void compose(const PictureView& source, const MutablePicture& output) override {
    for (std::size_t p = 0; p < 3; ++p) {
      PlaneTask task;
      task.source = source.data[p];
      task.source_stride = source.stride[p];
      task.depth = source.format.depth;
      task.filter = &filters_[p];
      task.output = output.data[p];
      task.output_stride = output.stride[p];
      scratch_.reserve(task);
      compose_plane(task, kernels_, scratch_);
    }
  }

 private:
  const ComposeKernels& kernels_;
  std::array<PackedFilter, 3> filters_;
  ComposeScratch scratch_;
};

}  // namespace

std::unique_ptr<Peer> emomedia_peer(const Task& task) { return std::make_unique<EmomediaPeer>(task); }

}  // namespace emomedia::bench
