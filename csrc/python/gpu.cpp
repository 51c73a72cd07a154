// GPUs, and arrays in their memory.
#include "emomedia/gpu.h"

#include <pybind11/stl.h>

#include "av/watch.h"
#include "gpu/device.h"
#include "python/device_array.h"
#include "python/module.h"

namespace py = pybind11;

namespace emomedia::python {
namespace {

gpu::Found find_watched() {
  const auto found = std::make_shared<gpu::Found>();
  do_watched("NVIDIA's driver", kStallSeconds, [found](Pulse&) { *found = gpu::find(); }, notice_signals, kStalledDriver);
  return std::move(*found);
}

std::shared_ptr<gpu::Device> open_watched(int index) {
  const auto device = std::make_shared<std::shared_ptr<gpu::Device>>();
  do_watched("GPU " + std::to_string(index), kStallSeconds, [=](Pulse&) { *device = gpu::open(index); }, notice_signals,
             kStalledDriver);
  return std::move(*device);
}

void bind_found(py::module_& module) {
  py::class_<gpu::DecodeLimits>(module, "DecodeLimits", "Streams that a GPU decodes.")
      .def_readonly("codec", &gpu::DecodeLimits::codec)
      .def_readonly("chroma", &gpu::DecodeLimits::chroma)
      .def_readonly("depth", &gpu::DecodeLimits::depth)
      .def_readonly("engines", &gpu::DecodeLimits::engines)
      .def_readonly("max_width", &gpu::DecodeLimits::max_width)
      .def_readonly("max_height", &gpu::DecodeLimits::max_height)
      .def_readonly("max_macroblocks", &gpu::DecodeLimits::max_macroblocks);
  py::class_<gpu::Info>(module, "GpuInfo", "One GPU that CUDA shows.")
      .def_readonly("index", &gpu::Info::index)
      .def_readonly("name", &gpu::Info::name)
      .def_readonly("memory", &gpu::Info::memory)
      .def_readonly("free_memory", &gpu::Info::free_memory)
      .def_readonly("compute_major", &gpu::Info::compute_major)
      .def_readonly("compute_minor", &gpu::Info::compute_minor)
      .def_readonly("decodes", &gpu::Info::decodes);
  py::class_<gpu::Found>(module, "FoundGpus", "The GPUs that there are, or why there are none.")
      .def_readonly("gpus", &gpu::Found::gpus)
      .def_readonly("refused", &gpu::Found::refused)
      .def_readonly("reason", &gpu::Found::reason)
      .def_readonly("driver", &gpu::Found::driver)
      .def_readonly("runtime", &gpu::Found::runtime);
  py::class_<gpu::Usage>(module, "GpuUsage", "What went over a GPU's bus, and the most of its memory that was taken.")
      .def_readonly("bytes_to_host", &gpu::Usage::bytes_to_host)
      .def_readonly("bytes_to_device", &gpu::Usage::bytes_to_device)
      .def_readonly("peak_memory", &gpu::Usage::peak_memory);
  py::class_<gpu::Device, std::shared_ptr<gpu::Device>>(module, "Gpu", "A GPU in use; Job and FrameStream take it.");
  using Released = py::call_guard<py::gil_scoped_release>;
  module.def("find_gpus", &find_watched, Released(), "The GPUs that CUDA shows; takes a moment.");
  module.def("open_gpu", &open_watched, py::arg("index"), Released(), "Raises DeviceError where it cannot be had.");
}

void bind_device_array(py::module_& module) {
  py::class_<DeviceArray>(module, "DeviceArray", "Unsigned integers in a GPU's memory, in C order; holds the memory.")
      .def_property_readonly("shape", &DeviceArray::shape)
      .def("part", &DeviceArray::part, py::arg("first"), py::arg("shape"),
           "The items from the one at `first` on, as an array of `shape` over the same memory.")
      .def_property_readonly("__cuda_array_interface__", &DeviceArray::cuda_array_interface)
      .def("__dlpack__", [](const DeviceArray& array, const py::kwargs& request) { return array.dlpack(request); })
      .def("__dlpack_device__", &DeviceArray::dlpack_device);
}

}  // namespace

void bind_gpu(py::module_& module) {
  bind_found(module);
  bind_device_array(module);
}

}  // namespace emomedia::python
