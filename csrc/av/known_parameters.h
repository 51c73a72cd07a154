// What libav found out of the streams of a file, for whoever opens it again: a picture of 4K is decoded for it.
#pragma once

#include <string>

#include "av/handles.h"

namespace emomedia::av {

// Only files are remembered whose header declares all streams and gives packets their times, so that nothing but
// the streams' parameters hangs on what was found: MP4 and MOV. A file is known by its place on the disk, its size
// and its date.
void note_parameters(const std::string& path, const AVFormatContext& input);

// Gives the streams of the file just opened the parameters that were noted of it; false where none were.
bool recall_parameters(const std::string& path, AVFormatContext& input);

}  // namespace emomedia::av
