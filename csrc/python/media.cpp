// probe() and scan(): what a file says of itself, and its frames.
#include "emomedia/media.h"

#include <pybind11/stl.h>

#include "av/limits.h"
#include "python/arrays.h"
#include "python/module.h"

namespace py = pybind11;

namespace emomedia::python {
namespace {

py::tuple pair(const Rational& value) { return py::make_tuple(value.num, value.den); }

// What a decoded frame says as well as a stream's header.
void describe_picture(py::dict& out, const VideoInfo& video) {
  out["width"] = video.format.width;
  out["height"] = video.format.height;
  out["bit_depth"] = video.format.depth;
  out["sub_x"] = video.format.sub_x;
  out["sub_y"] = video.format.sub_y;
  out["pix_fmt"] = video.pixel_format;
  out["chroma"] = video.chroma;
  out["composable"] = video.composable;
  out["alpha"] = video.alpha;
  out["range"] = video.tags.range;
  out["matrix"] = video.tags.matrix;
  out["primaries"] = video.tags.primaries;
  out["transfer"] = video.tags.transfer;
  out["siting"] = video.siting;
  out["field_order"] = video.field_order;
}

void describe(py::dict& out, const VideoInfo& video) {
  describe_picture(out, video);
  out["frame_rate"] = pair(video.frame_rate);
  out["avg_rate"] = pair(video.average_rate);
  out["sample_aspect"] = pair(video.sample_aspect);
  out["rotate"] = py::cast(video.rotate);
  out["mirrored"] = video.mirrored;
  out["attached_picture"] = video.attached_picture;
}

void describe(py::dict& out, const AudioInfo& audio) {
  out["sample_rate"] = audio.sample_rate;
  out["channels"] = audio.channels;
  out["sample_fmt"] = audio.sample_format;
  out["bits"] = audio.bits;
  out["lossless"] = audio.lossless;
}

py::dict describe(const StreamInfo& stream) {
  py::dict out;
  out["index"] = stream.index;
  out["type"] = stream.type;
  out["codec"] = stream.codec;
  out["time_base"] = pair(stream.time_base);
  out["start_pts"] = py::cast(stream.start_pts);
  out["timecode"] = stream.timecode.empty() ? py::object(py::none()) : py::object(py::str(stream.timecode));
  if (stream.video) describe(out, *stream.video);
  if (stream.audio) describe(out, *stream.audio);
  return out;
}

py::dict probe(const std::string& path) {
  MediaInfo info;
  {
    const py::gil_scoped_release released;
    info = probe_media(path, notice_signals);
  }
  py::list streams;
  for (const StreamInfo& stream : info.streams) streams.append(describe(stream));
  py::dict out;
  out["format"] = info.format;
  out["streams"] = streams;
  return out;
}

py::dict scan(const std::string& path, int stream) {
  FrameTable table;
  {
    const py::gil_scoped_release released;
    table = scan_frames(path, stream, notice_signals);
  }
  py::dict out;
  out["pts"] = as_array(std::move(table.pts));
  out["key"] = as_array(std::move(table.key)).attr("astype")(py::dtype::of<bool>());
  out["last_duration"] = table.last_duration;
  out["hidden"] = table.hidden;
  out["leading"] = table.leading;
  out["undecodable"] = table.undecodable;
  py::dict decoded;
  describe_picture(decoded, table.decoded);
  out["decoded"] = decoded;
  return out;
}

py::object times(const std::string& path, int stream) {
  std::vector<std::int64_t> pts;
  {
    const py::gil_scoped_release released;
    pts = frame_times(path, stream, notice_signals);
  }
  return as_array(std::move(pts));
}

}  // namespace

void notice_signals() {
  const py::gil_scoped_acquire acquired;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void bind_media(py::module_& module) {
  module.attr("DEMUXERS") = av::kDemuxers;
  module.attr("DECODERS") = av::kDecoders;
  module.attr("MAX_ALLOCATION") = av::kMaxAllocation;
  module.def("probe", &probe, py::arg("path"), "What a media file says of itself, as nested dicts.");
  module.def("scan", &scan, py::arg("path"), py::arg("stream"),
             "The frames of a video stream in order of presentation: pts int64[n], key bool[n], last_duration; the "
             "numbers of hidden and undecodable ones; and what the first one decoded says of its picture.");
  module.def("frame_times", &times, py::arg("path"), py::arg("stream"),
             "scan()'s pts alone, int64[n], of an MP4 or MOV: nothing is decoded.");
  module.def("library_versions", &library_versions, "libav's versions, for the provenance of outputs.");
}

}  // namespace emomedia::python
