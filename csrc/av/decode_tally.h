// Which of the frames that a decoder was given are shown, and which of the others a GOP demanded.
#pragma once

#include <cstdint>
#include <map>

namespace emomedia::av {

// Of the frames given to a decoder, each is one of three.
struct DecodeCounts {
  std::int64_t shown = 0;
  std::int64_t lead_in = 0;  // not shown, but between a shown one and the key frame that it depends on
  std::int64_t surplus = 0;  // beyond what any shown frame needs

  std::int64_t decoded() const { return shown + lead_in + surplus; }
  DecodeCounts& operator+=(const DecodeCounts& other);
  friend bool operator==(const DecodeCounts&, const DecodeCounts&) = default;
};

// Counts them, by decoding order: what is given between a frame and its key frame is demanded.
class DecodeTally {
 public:
  // A packet goes to the decoder.
  void sent(std::int64_t pts, bool key);

  // The frame with this time is shown, or what is shown is made of it too. To be told in order of presentation.
  void shows(std::int64_t pts);
  void needs(std::int64_t pts);

  // The decoder begins anew.
  void restart();

  DecodeCounts counts() const;

 private:
  std::map<std::int64_t, std::int64_t> order_;      // by time, of frames not yet passed by
  std::map<std::int64_t, std::int64_t> key_order_;  // likewise, of key frames
  std::int64_t sent_ = 0, demanded_ = 0, shown_ = 0;  // since the restart
  std::int64_t reached_ = 0;                          // decoding order up to which is counted
  DecodeCounts before_;
};

}  // namespace emomedia::av
