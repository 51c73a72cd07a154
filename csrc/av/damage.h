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

  // A packet goes to the decoder; what is predicted from before a key frame is not shown after it. No frame is waited
  // for of one from which none `comes_out`, as where an edit list hides it or of a frame's second packet: its time may
  // lie anywhere.
  void sent(std::int64_t pts, bool key, bool comes_out = true);

  // The packet that was sent last is broken.
  void broken();

  // The decoder gave the frame with this time; `concealed` tells that it says so of the frame itself.
  void came_out(std::int64_t pts, bool concealed);

  // Whether all is known of a frame that came out: none that it may be predicted from is still to come, as
  // the later one of two that a B-frame lies between is.
  bool is_settled(std::int64_t pts) const;

  // Whether a frame that came out is damaged; to be asked in order of presentation.
  bool is_damaged(std::int64_t pts);

  // Whether anything was damaged since the last reset.
  bool any() const { return any_; }

 private:
  struct Sent {
    std::int64_t order;  // in decoding
    bool out;            // given by the decoder, or passed over
  };
  struct Key {
    std::int64_t order, pts;
  };

  std::int64_t order_of(std::int64_t pts) const;
  void note(std::int64_t order);

  std::map<std::int64_t, Sent> frames_;  // by time, those not yet asked about
  std::deque<Key> keys_;                 // ascending
  std::deque<std::int64_t> damages_;     // decoding order of what is broken, ascending
  std::int64_t sent_ = 0;
  bool any_ = false;
};

}  // namespace emomedia::av
