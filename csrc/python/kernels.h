// Names from Python as the kernels' types.
#pragma once

#include <pybind11/stl.h>

#include <array>
#include <string>

#include "emomedia/frame.h"

namespace emomedia::python {

Siting siting_from(const std::string& name);
FieldOrder fields_from(const std::string& name);
Crop crop_from(const std::array<int, 4>& crop);

}  // namespace emomedia::python
