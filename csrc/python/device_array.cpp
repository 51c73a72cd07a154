#include "python/device_array.h"

#include <pybind11/stl.h>

#include <functional>
#include <numeric>
#include <utility>

namespace py = pybind11;

namespace emomedia::python {
namespace {

// DLPack's structures, as its specification has them (dlpack.h, version 0.8).
struct DlDevice {
  std::int32_t type, id;
};
struct DlType {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};
struct DlTensor {
  void* data;
  DlDevice device;
  std::int32_t dimensions;
  DlType type;
  std::int64_t* shape;
  std::int64_t* strides;  // null: C order
  std::uint64_t byte_offset;
};
struct DlManagedTensor {
  DlTensor tensor;
  void* context;
  void (*deleter)(DlManagedTensor*);
};

constexpr std::int32_t kCuda = 2;
constexpr std::uint8_t kUnsigned = 1;
constexpr const char* kUnused = "dltensor";  // who takes it renames it

struct Held {
  DlManagedTensor managed;
  std::shared_ptr<std::uint8_t> memory;
  std::vector<std::int64_t> shape;
};

void release(DlManagedTensor* managed) { delete static_cast<Held*>(managed->context); }

}  // namespace

DeviceArray::DeviceArray(std::shared_ptr<std::uint8_t> memory, int device, int item_bytes, std::vector<std::int64_t> shape)
    : memory_(std::move(memory)), device_(device), item_bytes_(item_bytes), shape_(std::move(shape)) {}

DeviceArray::~DeviceArray() {
  if (memory_ == nullptr || PyGILState_Check() == 0) return;
  const py::gil_scoped_release released;
  memory_.reset();
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

std::pair<int, int> DeviceArray::dlpack_device() const { return {kCuda, device_}; }

py::capsule DeviceArray::dlpack(const py::kwargs& request) const {
  const auto given = [&](const char* name) { return request.contains(name) && !request[name].is_none(); };
  if (given("copy") && request["copy"].cast<bool>()) throw py::buffer_error("the samples are not copied");
  if (given("dl_device") && request["dl_device"].cast<std::pair<int, int>>() != dlpack_device()) {
    throw py::buffer_error("the samples stay in their GPU's memory");
  }
  auto held = std::make_unique<Held>(Held{{}, memory_, shape_});
  const DlType type{kUnsigned, static_cast<std::uint8_t>(8 * item_bytes_), 1};
  held->managed = {{memory_.get(), {kCuda, device_}, static_cast<std::int32_t>(shape_.size()), type, held->shape.data(), nullptr, 0},
                   held.get(), &release};
  const auto unused = [](PyObject* capsule) {
    if (PyCapsule_IsValid(capsule, kUnused) == 0) return;
    auto* managed = static_cast<DlManagedTensor*>(PyCapsule_GetPointer(capsule, kUnused));
    managed->deleter(managed);
  };
  PyObject* capsule = PyCapsule_New(&held->managed, kUnused, unused);
  if (capsule == nullptr) throw py::error_already_set();
  held.release();
  return py::reinterpret_steal<py::capsule>(capsule);
}

}  // namespace emomedia::python
