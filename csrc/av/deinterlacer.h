// Frames of two fields into whole frames, one for one: libav's bwdif (BBC's weave and w3fdif with yadif's
// temporal check), which looks at the frame before and the frame after.
#pragma once

#include <string>

#include "av/handles.h"
#include "emomedia/frame.h"

extern "C" {
#include <libavfilter/avfilter.h>
}

namespace emomedia::av {

struct GraphFree {
  void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
};
using Graph = std::unique_ptr<AVFilterGraph, GraphFree>;

class Deinterlacer {
 public:
  // `first` is top_first or bottom_first; `subject` names the file in errors.
  Deinterlacer(FieldOrder first, AVRational time_base, std::string subject);

  // Takes a frame's content. Throws Error(unsupported) when it is not like the ones before.
  void send(AVFrame& frame);
  void finish();

  // Moves the next whole frame into `frame`, with the time of the one it was made of; false when more are
  // needed.
  bool receive(AVFrame& frame);

  // Forgets everything, to go on after a seek.
  void reset() { graph_.reset(); }

 private:
  void build(const AVFrame& like);

  FieldOrder first_;
  AVRational time_base_;
  std::string subject_;
  Graph graph_;
  AVFilterContext* source_ = nullptr;  // owned by graph_
  AVFilterContext* sink_ = nullptr;
  int width_ = 0, height_ = 0, format_ = -1;
};

}  // namespace emomedia::av
