// One take's frames, counted through its files: decoded on a GPU where that can be done, on the cores otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "av/frame_reader.h"
#include "emomedia/job.h"
#include "gpu/device.h"

namespace emomedia {

class TakeReader {
 public:
  // Borrows all; `queue` is the GPU's that decodes, if one does.
  TakeReader(const Take& take, Pulse& pulse, gpu::Queue* queue = nullptr);

  // Borrowed until the next call: a picture in the host's memory, or in the GPU's.
  struct Shown {
    PictureView picture;
    std::optional<gpu::SourcePicture> on_gpu;
    bool damaged;
  };
  Shown at(std::int64_t index);
  void expect(std::int64_t last, const av::WantedNext& next);  // as av::FrameReader's
  void forget_damage();
  void forget();

  // Decodes on the cores from now on: for good, since the GPU failed.
  void leave_gpu(const std::string& reason);
  // Why it did, or did so for a while; empty where it never did.
  const std::string& left_gpu() const { return left_gpu_; }

  av::DecodeCounts counts() const;

 private:
  enum class Decoding { gpu, cores_for_damage, cores };

  std::size_t file_of(std::int64_t index) const;
  Shown show(std::int64_t index);
  void switch_to(Decoding decoding);
  void open(std::size_t number);
  void close();
  void pass_on_expected();
  PictureView checked_view(const AVFrame& frame, const TakeFile& file) const;

  const Take& take_;
  Pulse& pulse_;
  gpu::Queue* queue_;
  Decoding decoding_;
  std::string left_gpu_;
  std::vector<std::int64_t> first_index_;  // of each file
  std::unique_ptr<av::FrameReader> reader_;
  std::size_t open_file_ = 0;  // which file reader_ reads
  std::optional<std::int64_t> last_;  // expected
  av::WantedNext next_;
  av::DecodeCounts counts_before_;  // by the readers of other files
};

}  // namespace emomedia
