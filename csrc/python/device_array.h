// Arrays in a GPU's memory, as CuPy, PyTorch and JAX take them without a copy.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace emomedia::python {

// Unsigned integers in C order. Holds its memory.
class DeviceArray {
 public:
  DeviceArray(std::shared_ptr<std::uint8_t> memory, int device, int item_bytes, std::vector<std::int64_t> shape);
  DeviceArray(DeviceArray&&) = default;
  ~DeviceArray();  // may wait for the GPU: without the GIL

  // `shape` items from the one at `first` on.
  DeviceArray part(std::int64_t first, std::vector<std::int64_t> shape) const;

  pybind11::tuple shape() const;
  const char* type() const { return item_bytes_ == 1 ? "|u1" : "<u2"; }
  std::uintptr_t pointer() const { return reinterpret_cast<std::uintptr_t>(memory_.get()); }

  // CUDA Array Interface, version 3. What is in the array is there already: no stream is to be waited for.
  pybind11::dict cuda_array_interface() const;
  // DLPack's capsule, of the version that the request can take; and its device. Refuses, as the standard asks, a copy and
  // another device. Any `stream` has what is in the array.
  pybind11::capsule dlpack(const pybind11::kwargs& request) const;
  std::pair<int, int> dlpack_device() const;

 private:
  std::int64_t items() const;

  std::shared_ptr<std::uint8_t> memory_;
  int device_, item_bytes_;
  std::vector<std::int64_t> shape_;
};

}  // namespace emomedia::python
