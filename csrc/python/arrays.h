// Moves vectors into NumPy arrays without copying their elements.
#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <utility>
#include <vector>

namespace emomedia::python {

template <typename T>
pybind11::array_t<T> as_array(std::vector<T> values, std::vector<pybind11::ssize_t> shape) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  T* data = owner->data();
  const pybind11::capsule base(owner.release(), [](void* pointer) { delete static_cast<std::vector<T>*>(pointer); });
  return pybind11::array_t<T>(std::move(shape), data, base);
}

template <typename T>
pybind11::array_t<T> as_array(std::vector<T> values) {
  const auto size = static_cast<pybind11::ssize_t>(values.size());
  return as_array(std::move(values), {size});
}

template <typename T>
std::vector<T> as_vector(const pybind11::array_t<T, pybind11::array::c_style | pybind11::array::forcecast>& array) {
  return std::vector<T>(array.data(), array.data() + array.size());
}

}  // namespace emomedia::python
