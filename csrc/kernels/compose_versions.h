// The tables of functions that there are, one per instruction set, each in a file with its own flags.
#pragma once

#include "kernels/compose.h"

namespace emomedia {

extern const ComposeKernels kScalarKernels;
#ifdef EMOMEDIA_X86
extern const ComposeKernels kAvx2Kernels;
extern const ComposeKernels kAvx512Kernels;  // with BW, DQ, VL, VNNI and VBMI: Ice Lake, Zen 4 and later
#endif

}  // namespace emomedia
