#include "av/known_parameters.h"

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "av/check.h"

namespace emomedia::av {
namespace {

constexpr std::size_t kMostFiles = 1024;  // a take has hundreds at the most

using Identity = std::tuple<dev_t, ino_t, off_t, std::int64_t, std::int64_t>;

struct Memory {
  std::mutex mutex;
  std::map<Identity, std::vector<Parameters>> files;
};

// Never destroyed: a thread that hung may wake while the process ends.
Memory& memory() {
  static Memory& all = *new Memory;
  return all;
}

std::optional<Identity> identify(const std::string& path, const AVFormatContext& input) {
  if (!std::string_view(input.iformat->name).starts_with("mov")) return std::nullopt;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

bool are_of(const std::vector<Parameters>& streams, const AVFormatContext& input) {
  if (streams.size() != input.nb_streams) return false;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    if (streams[i]->codec_id != input.streams[i]->codecpar->codec_id) return false;
  }
  return true;
}

}  // namespace

void note_parameters(const std::string& path, const AVFormatContext& input) {
  const auto identity = identify(path, input);
  if (!identity) return;
  std::vector<Parameters> streams;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    Parameters& copy = streams.emplace_back(allocated(avcodec_parameters_alloc()));
    check(avcodec_parameters_copy(copy.get(), input.streams[i]->codecpar), path, "copy the streams' parameters");
  }
  Memory& known = memory();
  const std::lock_guard lock(known.mutex);
  if (known.files.size() >= kMostFiles) known.files.clear();
  known.files[*identity] = std::move(streams);
}

bool recall_parameters(const std::string& path, AVFormatContext& input) {
  const auto identity = identify(path, input);
  if (!identity) return false;
  Memory& known = memory();
  const std::lock_guard lock(known.mutex);
  const auto found = known.files.find(*identity);
  if (found == known.files.end() || !are_of(found->second, input)) return false;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    check(avcodec_parameters_copy(input.streams[i]->codecpar, found->second[i].get()), path,
          "copy the streams' parameters");
  }
  return true;
}

}  // namespace emomedia::av
