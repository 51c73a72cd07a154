// Reads packets of a local media file; the only door through which media enters.
#pragma once

#include <cstdint>
#include <string>

#include "av/handles.h"

namespace emomedia::av {

class Demuxer {
 public:
  // What is known of the streams once the file is open: all that libav finds out, for which it may read on and
  // decode; what it found out when the file was opened before, if it was; or what the container's header declares,
  // which is enough to read packets of an MP4 or MOV. What libav derives beside codecs' parameters, as rates and
  // the streams' beginnings are, is there only where it was `found`.
  enum class Parameters { found, known, declared };

  // Opens `path` with the allowed demuxers and protocols only. Throws Error(not_found or media).
  explicit Demuxer(std::string path, Parameters parameters = Parameters::found);

  const std::string& path() const { return path_; }
  const AVFormatContext& format() const { return *input_; }
  // Throws Error(media) where there is none of that number: the file may be another one than was probed.
  const AVStream& stream(int index) const;

  // Packets of every other stream are skipped from now on.
  void select(int stream);

  // The next packet of the selected stream, borrowed until the next call; null at the end.
  const AVPacket* read();

  // Goes to the last key frame at or before `pts`; to the file's beginning where there is none.
  void seek(int stream, std::int64_t pts);
  void rewind(int stream);

 private:
  std::string path_;
  Input input_;
  Packet packet_;
  int selected_ = -1;
};

}  // namespace emomedia::av
