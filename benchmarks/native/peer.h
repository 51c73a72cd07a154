// What makes one half of a composite from a take's picture, on one thread.
#pragma once

#include <memory>
#include <string>

#include "pictures.h"

namespace emomedia::bench {

// The crop is in upright pixels and even, so that chroma's crop is whole samples for every peer.
struct Task {
  PictureFormat source;  // as coded
  int rotate = 0;        // degrees clockwise to upright: 0 or 90
  Crop crop;
  int width = 960, height = 1080;  // 8-bit 4:2:0, left-sited
};

class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::string name() const = 0;
  virtual void compose(const PictureView& source, const MutablePicture& output) = 0;
};

// The crop of an upright picture, which needs no copy.
PictureView cropped(const PictureView& source, const Crop& crop);

// Ours, by the kernels that compose_kernels() chose in this process.
std::unique_ptr<Peer> emomedia_peer(const Task& task);

// Lanczos-3 by others. Their source is upright and cropped already; `siting` is its chroma's.
std::unique_ptr<Peer> zimg_peer(const PictureFormat& source, Siting siting, int width, int height, bool wide);
std::unique_ptr<Peer> swscale_peer(const PictureFormat& source, Siting siting, int width, int height, bool accurate);

// `kind` by name: "zimg" (the widest vectors), "zimg-32" (of 32 bytes), "swscale" (accurate rounding),
// "swscale-fast". Pictures that lie on their side are cropped and turned by libavfilter's transpose first.
std::unique_ptr<Peer> other_peer(const Task& task, const std::string& kind);

}  // namespace emomedia::bench
