// The filter tables as arrays, for the NumPy reference.
#include "emomedia/error.h"
#include "kernels/compose.h"
#include "kernels/filter.h"

#include "python/arrays.h"
#include "python/kernels.h"
#include "python/module.h"

namespace py = pybind11;

namespace emomedia::python {

Siting siting_from(const std::string& name) {
  if (name == "center") return Siting::center;
  if (name == "topleft") return Siting::top_left;
  if (name == "left" || name == "unspecified") return Siting::left;
  throw Error(Cause::unsupported, "chroma siting", "left, center or topleft", name, "convert the take");
}

FieldOrder fields_from(const std::string& name) {
  if (name == "progressive") return FieldOrder::progressive;
  if (name == "top first") return FieldOrder::top_first;
  if (name == "bottom first") return FieldOrder::bottom_first;
  throw Error(Cause::unsupported, "fields", "progressive, top first or bottom first", name, "convert the take");
}

Crop crop_from(const std::array<int, 4>& crop) { return {crop[0], crop[1], crop[2], crop[3]}; }

namespace {

py::tuple axis_arrays(AxisFilter filter) {
  const auto rows = static_cast<py::ssize_t>(filter.size());
  const auto taps = static_cast<py::ssize_t>(filter.taps);
  return py::make_tuple(as_array(std::move(filter.start)), as_array(std::move(filter.coeff), {rows, taps}));
}

py::tuple plane_filters(int width, int height, int sub_x, int sub_y, const std::string& siting, int rotate,
                        bool mirrored, const std::array<int, 4>& crop, int out_width, int out_height,
                        bool full_chroma) {
  HalfGeometry geometry;
  geometry.source = {width, height, 8, sub_x, sub_y};
  geometry.siting = siting_from(siting);
  geometry.rotate = rotate;
  geometry.mirrored = mirrored;
  geometry.crop = crop_from(crop);
  geometry.width = out_width;
  geometry.height = out_height;
  geometry.full_chroma = full_chroma;
  py::list planes;
  for (PlaneFilter& plane : compose_filters(geometry)) {
    planes.append(axis_arrays(std::move(plane.rows)) + axis_arrays(std::move(plane.cols)));
  }
  return py::tuple(planes);
}

py::tuple runnable_names() {
  py::list names;
  for (const ComposeKernels* kernels : runnable_compose_kernels()) names.append(kernels->name);
  return py::tuple(names);
}

}  // namespace

void bind_kernels(py::module_& module) {
  module.def("compose_filters", &plane_filters, py::arg("width"), py::arg("height"), py::arg("sub_x"), py::arg("sub_y"),
             py::arg("siting"), py::arg("rotate"), py::arg("mirrored"), py::arg("crop"), py::arg("out_width"),
             py::arg("out_height"), py::arg("full_chroma") = false,
             "Per plane (rows_start, rows_coeff, cols_start, cols_coeff): the tables that every compose kernel uses.");
  module.def("compose_kernel", [] { return compose_kernels().name; },
             "The instruction set that composes here: the widest, or the one that EMOMEDIA_CPU names.");
  module.def("compose_kernels", &runnable_names, "Those that this processor runs, narrowest first.");
}

}  // namespace emomedia::python
