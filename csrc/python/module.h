// The Python module's parts; each binds one header of the core.
#pragma once

#include <pybind11/pybind11.h>

namespace emomedia::python {

void bind_errors(pybind11::module_& module);
void bind_media(pybind11::module_& module);
void bind_kernels(pybind11::module_& module);
void bind_gpu(pybind11::module_& module);
void bind_engine(pybind11::module_& module);
void bind_frames(pybind11::module_& module);

// Ctrl-C ends what takes long: throws what Python's handlers of signals raise. For waits without the GIL.
void notice_signals();

}  // namespace emomedia::python
