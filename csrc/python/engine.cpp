// The job's plain values, the engine, and composites as arrays.
#include "emomedia/engine.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "emomedia/composites.h"
#include "gpu/device.h"
#include "python/arrays.h"
#include "python/kernels.h"
#include "python/module.h"

namespace py = pybind11;

namespace emomedia::python {
namespace {

using Int64Array = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;
using ByteArray = py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>;

TakeFile make_take_file(std::string path, int stream, const Int64Array& pts, const ByteArray& key) {
  return {std::move(path), stream, as_vector<std::int64_t>(pts), as_vector<std::uint8_t>(key)};
}

Take make_take(std::vector<TakeFile> files, int width, int height, int bit_depth, int sub_x, int sub_y,
               const std::string& siting, const std::string& fields, int rotate, bool mirrored,
               const std::array<int, 4>& crop, std::optional<ColorMap> color) {
  return {std::move(files), {width, height, bit_depth, sub_x, sub_y}, siting_from(siting), fields_from(fields), rotate,
          mirrored, crop_from(crop), std::move(color)};
}

using AffineRows = std::array<std::array<std::int32_t, 4>, 3>;

AffineMap affine_from(const AffineRows& rows) {
  AffineMap map;
  for (std::size_t r = 0; r < 3; ++r) {
    std::copy_n(rows[r].begin(), 3, map.factor[r].begin());
    map.offset[r] = rows[r][3];
  }
  return map;
}

using Int16Array = py::array_t<std::int16_t, py::array::c_style | py::array::forcecast>;

ColorMap make_color_map(const AffineRows& to_output, const std::optional<AffineRows>& to_cube,
                        const std::optional<Int16Array>& cube) {
  ColorMap map;
  map.to_output = affine_from(to_output);
  if (to_cube && cube) {
    map.by_cube.emplace();
    map.by_cube->to_cube = affine_from(*to_cube);
    map.by_cube->cube = {static_cast<int>(cube->shape(0)), as_vector<std::int16_t>(*cube)};
  }
  return map;
}

VideoSettings make_settings(int width, int height, int depth, std::pair<std::int64_t, std::int64_t> rate,
                            const std::array<std::string, 4>& tags, std::string preset, std::string crf, int gop,
                            std::string encoder) {
  VideoSettings settings;
  settings.width = width;
  settings.height = height;
  settings.depth = depth;
  settings.rate = {rate.first, rate.second};
  settings.tags = {tags[0], tags[1], tags[2], tags[3]};
  settings.preset = std::move(preset);
  settings.crf = std::move(crf);
  settings.gop = gop;
  settings.encoder = std::move(encoder);
  return settings;
}

SidePicture make_side_picture(std::size_t side, int width, int height, const std::array<int, 4>& crop) {
  return {side, width, height, crop_from(crop)};
}

Chunk make_chunk(std::int64_t first_frame, std::vector<std::int64_t> spans, const Int64Array& left,
                 const Int64Array& right, std::vector<std::string> spools) {
  return {first_frame, std::move(spans), {as_vector<std::int64_t>(left), as_vector<std::int64_t>(right)},
          std::move(spools)};
}

Clip make_clip(std::vector<std::string> paths, std::int64_t first_frame, std::int64_t frame_count,
               std::int64_t first_sample, std::int64_t sample_count, std::vector<int> chunks) {
  return {std::move(paths), first_frame, frame_count, first_sample, sample_count, std::move(chunks)};
}

Job make_job(const Take& left, const Take& right, const PcmSource& left_sound, const PcmSource& right_sound,
             const VideoSettings& video, std::vector<SidePicture> sides, std::int64_t audio_bit_rate,
             std::vector<Chunk> chunks, std::vector<Clip> clips, int workers,
             std::vector<std::shared_ptr<gpu::Device>> gpus, std::vector<int> gpu_of, std::array<bool, 2> on_gpu,
             std::vector<std::shared_ptr<gpu::Device>> encoder_gpus, const std::optional<Observer>& observer, double stall_seconds) {
  return {{left, right},
          {left_sound, right_sound},
          video,
          std::move(sides),
          audio_bit_rate,
          std::move(chunks),
          std::move(clips),
          workers,
          std::move(gpus),
          std::move(gpu_of),
          on_gpu,
          std::move(encoder_gpus),
          observer.value_or(Observer{}),
          stall_seconds};
}

// A function by its address: Python has no other name for one that other compilers made.
Observer make_observer(std::uintptr_t address, int measures, std::uintptr_t context) {
  if (address == 0 || measures < 1) throw py::value_error("an observer has an address and at least one measure");
  return {reinterpret_cast<emomedia_observe>(address), reinterpret_cast<void*>(context), measures};
}

py::array_t<float> measures_of(const Report& report) {
  const auto frames = static_cast<py::ssize_t>(report.measured_frames.size());
  const auto values = static_cast<py::ssize_t>(report.measures.size());
  return py::array_t<float>({frames, frames > 0 ? values / frames : 0}, report.measures.data());
}

py::array_t<std::int64_t> measured_frames_of(const Report& report) {
  return py::array_t<std::int64_t>(static_cast<py::ssize_t>(report.measured_frames.size()),
                                   report.measured_frames.data());
}

void bind_job(py::module_& module) {
  py::class_<TakeFile>(module, "TakeFile", "One file of a take and its frames in order of presentation.")
      .def(py::init(&make_take_file), py::arg("path"), py::arg("stream"), py::arg("pts"), py::arg("key"));
  py::class_<ColorMap>(module, "ColorMap", "From a take's colours to the composite's (kernels/color.h).")
      .def(py::init(&make_color_map), py::kw_only(), py::arg("to_output"), py::arg("to_cube") = py::none(),
           py::arg("cube") = py::none());
  py::class_<Take>(module, "Take", "A take as the engine reads it.")
      .def(py::init(&make_take), py::kw_only(), py::arg("files"), py::arg("width"), py::arg("height"),
           py::arg("bit_depth"), py::arg("sub_x"), py::arg("sub_y"), py::arg("siting"),
           py::arg("fields") = "progressive", py::arg("rotate"), py::arg("mirrored") = false, py::arg("crop"),
           py::arg("color") = py::none());
  py::class_<PcmSource>(module, "PcmSource", "A raw mono file on the session clock, 48 kHz.")
      .def(py::init<std::string, int>(), py::arg("path"), py::arg("bits"));
  py::class_<VideoSettings>(module, "VideoSettings", "How composites are made and encoded.")
      .def(py::init(&make_settings), py::kw_only(), py::arg("width") = 1920, py::arg("height") = 1080,
           py::arg("depth") = 8, py::arg("rate"), py::arg("tags"), py::arg("preset"), py::arg("crf"), py::arg("gop"),
           py::arg("encoder") = VideoSettings{}.encoder);
  py::class_<SidePicture>(module, "SidePicture", "One side of each composite alone, as a picture beside it.")
      .def(py::init(&make_side_picture), py::kw_only(), py::arg("side"), py::arg("width"), py::arg("height"),
           py::arg("crop"));
  py::class_<Chunk>(module, "Chunk", "A run of whole spans that one encoder a picture encodes.")
      .def(py::init(&make_chunk), py::kw_only(), py::arg("first_frame"), py::arg("spans"), py::arg("left"),
           py::arg("right"), py::arg("spools"));
  py::class_<Clip>(module, "Clip", "An output: consecutive spans, joined by packet copy.")
      .def(py::init(&make_clip), py::kw_only(), py::arg("paths"), py::arg("first_frame"), py::arg("frame_count"),
           py::arg("first_sample"), py::arg("sample_count"), py::arg("chunks"));
  py::class_<Observer>(module, "Observer", "A native function that sees each composite (emomedia/observer.h).")
      .def(py::init(&make_observer), py::kw_only(), py::arg("address"), py::arg("measures"), py::arg("context") = 0);
  py::class_<Job>(module, "Job", "All that the engine needs to know.")
      .def(py::init(&make_job), py::kw_only(), py::arg("left"), py::arg("right"), py::arg("left_sound"),
           py::arg("right_sound"), py::arg("video"), py::arg("sides") = std::vector<SidePicture>{},
           py::arg("audio_bit_rate"), py::arg("chunks"), py::arg("clips"), py::arg("workers"),
           py::arg("gpus") = std::vector<std::shared_ptr<gpu::Device>>{}, py::arg("gpu_of") = std::vector<int>{},
           py::arg("on_gpu") = std::array<bool, 2>{},
           py::arg("encoder_gpus") = std::vector<std::shared_ptr<gpu::Device>>{},
           py::arg("observer") = py::none(), py::arg("stall_seconds") = Job{}.stall_seconds);
}

void bind_results(py::module_& module) {
  py::class_<Progress>(module, "Progress")
      .def_readonly("frames_done", &Progress::frames_done)
      .def_readonly("frames_total", &Progress::frames_total)
      .def_readonly("clips_done", &Progress::clips_done)
      .def_readonly("clips_total", &Progress::clips_total);
  py::class_<StageTime>(module, "StageTime")
      .def_readonly("stage", &StageTime::stage)
      .def_readonly("seconds", &StageTime::seconds)
      .def_readonly("cpu_seconds", &StageTime::cpu_seconds);
  py::class_<Report>(module, "Report")
      .def_readonly("damaged_frames", &Report::damaged_frames)
      .def_readonly("stages", &Report::stages)
      .def_property_readonly("measured_frames", &measured_frames_of)
      .def_property_readonly("measures", &measures_of)
      .def_readonly("wall_seconds", &Report::wall_seconds)
      .def_readonly("workers", &Report::workers)
      .def_readonly("shown_frames", &Report::shown_frames)
      .def_readonly("lead_in_frames", &Report::lead_in_frames)
      .def_readonly("surplus_frames", &Report::surplus_frames)
      .def_readonly("composed_frames", &Report::composed_frames)
      .def_readonly("resumed_frames", &Report::resumed_frames)
      .def_readonly("gpus", &Report::gpus)
      .def_readonly("left_gpu", &Report::left_gpu);
}

// Waiting for the workers must not keep others from running Python.
struct DeleteReleased {
  void operator()(Engine* engine) const {
    const py::gil_scoped_release released;
    delete engine;
  }
};

void bind_runner(py::module_& module) {
  using Released = py::call_guard<py::gil_scoped_release>;
  const auto try_heeding = [](const VideoSettings& settings, std::shared_ptr<gpu::Device> gpu) {
    try_encoder(settings, std::move(gpu), notice_signals);
  };
  module.def("try_encoder", try_heeding, py::arg("settings"), py::arg("gpu"), Released(),
             "Opens an encoder and closes it. Raises DeviceError where the GPU has none for these settings.");
  module.def("return_large_buffers", [] { return_large_buffers(); },
             "Has this process's large buffers given back to the system when they are freed.");
  py::class_<Engine, std::unique_ptr<Engine, DeleteReleased>>(module, "Engine", "Runs a job on threads of its own.")
      .def(py::init([](Job job) { return new Engine(std::move(job), notice_signals); }), py::arg("job"), Released(),
           "Waits for a session of a GPU's encoder, `stall_seconds` at the most.")
      .def("start", &Engine::start, Released())
      .def("wait", &Engine::wait, py::arg("seconds"), Released(), "True when the work has ended.")
      .def("progress", &Engine::progress)
      .def("cancel", &Engine::cancel)
      .def("finish", &Engine::finish, Released(), "The report; raises a worker's error.");
}

// One composite as three arrays over one buffer: Y (h, w), U and V (h/2, w/2).
template <typename Sample>
py::tuple render(Composites& composites, const std::array<std::int64_t, 2>& source) {
  const PictureFormat format = composites.format();
  std::array<py::array_t<Sample>, 3> planes;
  MutablePicture picture{format};
  for (std::size_t p = 0; p < 3; ++p) {
    const auto plane = static_cast<int>(p);
    planes[p] = py::array_t<Sample>({format.plane_height(plane), format.plane_width(plane)});
    picture.data[p] = reinterpret_cast<std::uint8_t*>(planes[p].mutable_data());
    picture.stride[p] = planes[p].strides(0);
  }
  std::uint8_t damaged = 0;
  {
    const py::gil_scoped_release released;
    damaged = composites.render(source, picture);
  }
  return py::make_tuple(planes[0], planes[1], planes[2], damaged);
}

py::tuple render_any(Composites& composites, std::int64_t left, std::int64_t right) {
  if (composites.format().depth > 8) return render<std::uint16_t>(composites, {left, right});
  return render<std::uint8_t>(composites, {left, right});
}

void bind_composites(py::module_& module) {
  py::class_<Composites>(module, "Composites", "Composites before any encoder.")
      .def(py::init([](const Take& left, const Take& right, int width, int height, int depth) {
             return std::make_unique<Composites>(std::array<Take, 2>{left, right}, width, height, depth);
           }),
           py::arg("left"), py::arg("right"), py::arg("width") = 1920, py::arg("height") = 1080, py::arg("depth") = 8)
      .def("render", &render_any, py::arg("left"), py::arg("right"),
           "The composite of two source frames by their index in their takes: (Y, U, V, damaged sides as bits).");
}

}  // namespace

void bind_engine(py::module_& module) {
  bind_job(module);
  bind_results(module);
  bind_runner(module);
  bind_composites(module);
}

}  // namespace emomedia::python
