// How far damage spreads: to every frame that is predicted, at however many removes, from one that is broken.
#pragma once

#include <cstdint>
#include <deque>
#include <map>

namespace emomedia::av {

// Frames come out in order of presentation, packets go in in decoding order; this keeps both.
class DamageTracker {
 public:
  void reset() { *this = {}; }

  // A packet goes to the decoder; what is predicted from before a key frame is not shown after it.
  void sent(std::int64_t pts, bool key);

  // The packet that was sent last is broken.
  void broken();

  // Whether the frame that came out with this time is damaged; `concealed` tells that the decoder says so
  // of itself.
  bool is_damaged(std::int64_t pts, bool concealed);

  // Whether anything was damaged since the last reset.
  bool any() const { return any_; }

 private:
  struct Key {
    std::int64_t order, pts;
  };

  void note(std::int64_t order);

  std::map<std::int64_t, std::int64_t> order_of_;  // decoding order by time, of frames not yet shown
  std::deque<Key> keys_;                           // ascending
  std::deque<std::int64_t> damages_;               // decoding order of what is broken, ascending
  std::int64_t sent_ = 0;
  bool any_ = false;
};

}  // namespace emomedia::av
