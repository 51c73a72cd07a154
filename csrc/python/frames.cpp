// Composites in order, each an array over the core's own buffer.
#include "emomedia/frames.h"

#include <pybind11/stl.h>

#include <memory>
#include <tuple>
#include <utility>

#include "gpu/device.h"
#include "python/arrays.h"
#include "python/device_array.h"
#include "python/module.h"

namespace py = pybind11;

namespace emomedia::python {
namespace {

using Released = py::call_guard<py::gil_scoped_release>;
using Int64Array = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

// Waiting for the threads must not keep others from running Python.
struct DeleteReleased {
  void operator()(FrameStream* stream) const {
    const py::gil_scoped_release released;
    delete stream;
  }
};

using StreamHolder = std::unique_ptr<FrameStream, DeleteReleased>;

StreamHolder make_stream(const Take& left, const Take& right,
                         const std::vector<std::tuple<std::int64_t, Int64Array, Int64Array>>& stretches, int width, int height,
                         int depth, int ahead, double stall_seconds, const std::shared_ptr<gpu::Device>& device,
                         std::array<bool, 2> on_gpu) {
  std::vector<Stretch> sources;
  for (const auto& [first_frame, of_left, of_right] : stretches) {
    sources.push_back({first_frame, {as_vector<std::int64_t>(of_left), as_vector<std::int64_t>(of_right)}});
  }
  const py::gil_scoped_release released;
  return StreamHolder(
      new FrameStream({left, right}, std::move(sources), {width, height, depth, ahead, stall_seconds, device, on_gpu}));
}

// The planes one below the other, Y over U over V: (h * 3 / 2, w). The array holds the frame's buffer.
template <typename Sample>
py::array as_i420(std::shared_ptr<std::uint8_t> samples, const PictureFormat& format) {
  auto owner = std::make_unique<std::shared_ptr<std::uint8_t>>(std::move(samples));
  auto* first = reinterpret_cast<Sample*>(owner->get());
  const py::capsule base(owner.get(), [](void* held) { delete static_cast<std::shared_ptr<std::uint8_t>*>(held); });
  owner.release();
  return py::array_t<Sample>({format.height * 3 / 2, format.width}, first, base);
}

py::object next_frame(FrameStream& stream) {
  std::optional<ComposedFrame> frame;
  {
    const py::gil_scoped_release released;
    frame = stream.next(notice_signals);
  }
  if (!frame) return py::none();
  const PictureFormat format = stream.format();
  if (const auto device = stream.device()) {
    DeviceArray there(std::move(frame->samples), device->index(), format.sample_bytes(), {format.height * 3 / 2, format.width});
    return py::make_tuple(frame->number, std::move(there), frame->damaged);
  }
  py::array samples = format.depth > 8 ? as_i420<std::uint16_t>(std::move(frame->samples), format)
                                       : as_i420<std::uint8_t>(std::move(frame->samples), format);
  return py::make_tuple(frame->number, std::move(samples), frame->damaged);
}

}  // namespace

void bind_frames(py::module_& module) {
  py::class_<FrameStream, StreamHolder>(module, "FrameStream", "Composites in order, made ahead on two threads.")
      .def(py::init(&make_stream), py::arg("left"), py::arg("right"), py::arg("stretches"), py::kw_only(),
           py::arg("width") = StreamSettings{}.width, py::arg("height") = StreamSettings{}.height,
           py::arg("depth") = StreamSettings{}.depth, py::arg("ahead") = StreamSettings{}.ahead,
           py::arg("stall_seconds") = StreamSettings{}.stall_seconds, py::arg("gpu") = nullptr,
           py::arg("on_gpu") = std::array<bool, 2>{})
      .def("next", &next_frame,
           "The next frame as (number, I420 samples, damaged sides as bits), or None after the last; raises a side's error.\n"
           "The samples are a NumPy array, or a DeviceArray in the memory of the GPU that was given.")
      .def("close", &FrameStream::close, Released(), "Ends the threads. Frames that were given out stay.");
}

}  // namespace emomedia::python
