#include "av/demuxer.h"

#include <sys/stat.h>

#include <array>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "av/check.h"
#include "av/known_parameters.h"
#include "av/limits.h"
#include "emomedia/error.h"

namespace emomedia::av {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 4> kOptions{{
    {"format_whitelist", kDemuxers},
    {"protocol_whitelist", kProtocols},
    {"codec_whitelist", kDecoders},
    {"max_streams", kMaxStreams},
}};

// A name without a scheme could still hold a colon; the explicit scheme keeps it a plain file.
std::string as_local_url(const std::string& path) { return "file:" + path; }

// A pipe or a device could keep a reader waiting for ever.
void require_plain_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  throw Error(Cause::not_found, path, "a media file",
              S_ISDIR(status.st_mode) ? "a folder" : "something that is not a file", "correct the path");
}

Input open_input(const std::string& path) {
  require_plain_file(path);
  capture_log();
  clear_log();
  const std::string url = as_local_url(path);
  AVDictionary* options = nullptr;
  for (const auto& [name, value] : kOptions) {
    // Without a whitelist anything would be opened.
    if (av_dict_set(&options, name, value, 0) >= 0) continue;
    av_dict_free(&options);
    throw std::bad_alloc();
  }
  AVFormatContext* context = nullptr;
  const int code = avformat_open_input(&context, url.c_str(), nullptr, &options);
  av_dict_free(&options);
  check(code, path, "open as one of the known media containers");
  return Input(context);
}

// Options for the decoders that libav opens to learn of the streams' parameters: one dictionary a stream.
class StreamOptions {
 public:
  explicit StreamOptions(unsigned streams) : options_(streams, nullptr) {}
  ~StreamOptions() {
    for (AVDictionary*& options : options_) av_dict_free(&options);
  }
  StreamOptions(const StreamOptions&) = delete;
  StreamOptions& operator=(const StreamOptions&) = delete;

  void limit_pixels() {
    for (AVDictionary*& options : options_) {
      if (av_dict_set_int(&options, "max_pixels", kMaxPixels, 0) < 0) throw std::bad_alloc();
    }
  }

  AVDictionary** get() { return options_.data(); }

 private:
  std::vector<AVDictionary*> options_;
};

void find_parameters(AVFormatContext& input, const std::string& path) {
  StreamOptions options(input.nb_streams);  // streams that libav finds in here have none
  options.limit_pixels();
  check(avformat_find_stream_info(&input, input.nb_streams > 0 ? options.get() : nullptr), path,
        "read the streams' parameters");
  note_parameters(path, input);
}

}  // namespace

Demuxer::Demuxer(std::string path, Parameters parameters)
    : path_(std::move(path)), input_(open_input(path_)), packet_(make_packet()) {
  if (parameters == Parameters::declared) return;
  if (parameters == Parameters::found || !recall_parameters(path_, *input_)) find_parameters(*input_, path_);
}

const AVStream& Demuxer::stream(int index) const {
  if (index >= 0 && static_cast<unsigned>(index) < input_->nb_streams) return *input_->streams[index];
  throw Error(Cause::media, path_, "a stream " + std::to_string(index), std::to_string(input_->nb_streams) + " streams",
              "put the file that was probed back, or delete session.json to have it probed again");
}

void Demuxer::select(int stream) {
  selected_ = stream;
  for (unsigned i = 0; i < input_->nb_streams; ++i) {
    input_->streams[i]->discard = static_cast<int>(i) == stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
}

const AVPacket* Demuxer::read() {
  for (;;) {
    av_packet_unref(packet_.get());
    const int code = av_read_frame(input_.get(), packet_.get());
    if (code == AVERROR_EOF) return nullptr;
    check(code, path_, "read a packet");
    if (packet_->stream_index == selected_) return packet_.get();
  }
}

void Demuxer::seek(int stream, std::int64_t pts) {
  if (av_seek_frame(input_.get(), stream, pts, AVSEEK_FLAG_BACKWARD) < 0) rewind(stream);
}

void Demuxer::rewind(int stream) {
  // Far before any frame, but not so far that a demuxer's own arithmetic overflows.
  constexpr std::int64_t kBeforeAll = -(std::int64_t{1} << 48);
  if (av_seek_frame(input_.get(), stream, kBeforeAll, AVSEEK_FLAG_BACKWARD) >= 0) return;
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  check(avformat_seek_file(input_.get(), stream, -kAny, kBeforeAll, kAny, 0), path_, "go back to the file's beginning");
}

}  // namespace emomedia::av
