#include "python/device_array.h"

#include <pybind11/stl.h>

#include <functional>
#include <numeric>
#include <utility>

#include "python/dlpack.h"

namespace py = pybind11;

namespace emomedia::python {
namespace {

// Letting go of the memory may wait for the GPU: without the GIL, where this thread has it.
void let_go(std::shared_ptr<std::uint8_t>& memory) {
  if (Py_IsInitialized() == 0 || PyGILState_Check() == 0) {
    memory.reset();
    return;
  }
  const py::gil_scoped_release released;
  memory.reset();
}

// The capsule that a consumer takes the structure out of; one that nobody took calls its deleter.
template <typename Managed>
py::capsule capsule_of(std::shared_ptr<std::uint8_t> memory, int device, int item_bytes, const std::vector<std::int64_t>& shape) {
  std::uint8_t* first = memory.get();
  std::shared_ptr<std::uint8_t> held(first, [memory](std::uint8_t*) mutable { let_go(memory); });
  Managed* managed = describe<Managed>(std::move(held), {kDlCuda, device}, item_bytes, shape);
  PyObject* capsule = PyCapsule_New(managed, Managed::kName, [](PyObject* given) {
    if (PyCapsule_IsValid(given, Managed::kName) == 0) return;
    auto* unused = static_cast<Managed*>(PyCapsule_GetPointer(given, Managed::kName));
    unused->deleter(unused);
  });
  if (capsule == nullptr) {
    managed->deleter(managed);
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::capsule>(capsule);
}

}  // namespace

DeviceArray::DeviceArray(std::shared_ptr<std::uint8_t> memory, int device, int item_bytes, std::vector<std::int64_t> shape)
    : memory_(std::move(memory)), device_(device), item_bytes_(item_bytes), shape_(std::move(shape)) {}

DeviceArray::~DeviceArray() {
  if (memory_ != nullptr) let_go(memory_);
}

std::int64_t DeviceArray::items() const {
  return std::accumulate(shape_.begin(), shape_.end(), std::int64_t{1}, std::multiplies<>());
}

DeviceArray DeviceArray::part(std::int64_t first, std::vector<std::int64_t> shape) const {
  DeviceArray part({memory_, memory_.get() + first * item_bytes_}, device_, item_bytes_, std::move(shape));
  if (first < 0 || part.items() < 0 || first + part.items() > items()) throw py::index_error("beyond the array");
  return part;
}

py::tuple DeviceArray::shape() const { return py::tuple(py::cast(shape_)); }

py::dict DeviceArray::cuda_array_interface() const {
  py::dict described;
  described["shape"] = shape();
  described["typestr"] = type();
  described["data"] = py::make_tuple(pointer(), false);
  described["version"] = 3;
  described["stream"] = py::none();
  return described;
}

std::pair<int, int> DeviceArray::dlpack_device() const { return {kDlCuda, device_}; }

py::capsule DeviceArray::dlpack(const py::kwargs& request) const {
  const auto given = [&](const char* name) { return request.contains(name) && !request[name].is_none(); };
  if (given("copy") && request["copy"].cast<bool>()) throw py::buffer_error("the samples are not copied");
  if (given("dl_device") && request["dl_device"].cast<std::pair<int, int>>() != dlpack_device()) {
    throw py::buffer_error("the samples stay in their GPU's memory");
  }
  const bool versioned = given("max_version") && request["max_version"].cast<std::pair<int, int>>().first >= 1;
  return versioned ? capsule_of<DlVersioned>(memory_, device_, item_bytes_, shape_)
                   : capsule_of<DlManaged>(memory_, device_, item_bytes_, shape_);
}

}  // namespace emomedia::python
