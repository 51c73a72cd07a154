// The Python module's parts; each binds one header of the core.
#pragma once

#include <pybind11/pybind11.h>

namespace emomedia::python {

void bind_errors(pybind11::module_& module);
void bind_media(pybind11::module_& module);
void bind_kernels(pybind11::module_& module);
void bind_engine(pybind11::module_& module);

}  // namespace emomedia::python
