#include "python/module.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "emomedia's compiled core: probing, composing, and the engine";
  emomedia::python::bind_errors(module);
  emomedia::python::bind_media(module);
  emomedia::python::bind_kernels(module);
  emomedia::python::bind_gpu(module);
  emomedia::python::bind_engine(module);
  emomedia::python::bind_frames(module);
}
