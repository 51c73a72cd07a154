// The core's errors become the classes of emomedia.errors.
#include "emomedia/error.h"

#include "python/module.h"

namespace py = pybind11;

namespace emomedia::python {
namespace {

const char* class_name(Cause cause) {
  switch (cause) {
    case Cause::description: return "DescriptionError";
    case Cause::not_found: return "MediaNotFoundError";
    case Cause::media: return "MediaError";
    case Cause::unsupported: return "UnsupportedMediaError";
    case Cause::stalled: return "StalledError";
    case Cause::output: return "OutputError";
    case Cause::device: return "DeviceError";
    default: return "EngineError";
  }
}

void raise(const Error& error) {
  const py::object type = py::module_::import("emomedia.errors").attr(class_name(error.cause()));
  const py::object instance = type(error.subject(), py::arg("expected") = error.expected(),
                                   py::arg("found") = error.found(), py::arg("remedy") = error.remedy());
  PyErr_SetObject(type.ptr(), instance.ptr());
}

}  // namespace

void bind_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      raise(error);
    }
  });
}

}  // namespace emomedia::python
