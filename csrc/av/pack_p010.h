// Ten bits as NVENC takes them: in the upper bits of a word, U and V by turns in one plane.
#pragma once

#include "emomedia/frame.h"

namespace emomedia::av {

// From the planes of `planar`, of 10 bits, into `packed`, which is P010 and of its size, and back.
void pack_p010(const MutablePicture& planar, const MutablePicture& packed);
void unpack_p010(const MutablePicture& packed, const MutablePicture& planar);

}  // namespace emomedia::av
