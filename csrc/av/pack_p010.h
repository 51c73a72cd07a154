// Ten bits as NVENC takes them: P010, the samples at the top of sixteen bits and chroma in pairs.
#pragma once

#include "av/handles.h"
#include "emomedia/frame.h"

namespace emomedia::av {

// From planes of ten bits; `format` is that of what is packed, which may be a part of `planar`.
void pack_p010(const AVFrame& planar, AVFrame& packed, const PictureFormat& format);

}  // namespace emomedia::av
