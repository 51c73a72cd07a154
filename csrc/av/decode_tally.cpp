#include "av/decode_tally.h"

#include <algorithm>
#include <iterator>

namespace emomedia::av {

DecodeCounts& DecodeCounts::operator+=(const DecodeCounts& other) {
  shown += other.shown;
  lead_in += other.lead_in;
  surplus += other.surplus;
  return *this;
}

void DecodeTally::sent(std::int64_t pts, bool key) {
  ++sent_;
  order_[pts] = sent_;
  if (key) key_order_[pts] = sent_;
}

void DecodeTally::shows(std::int64_t pts) {
  if (!order_.contains(pts)) return;  // another stands in for it
  ++shown_;
  needs(pts);
}

void DecodeTally::needs(std::int64_t pts) {
  const auto found = order_.find(pts);
  if (found == order_.end()) return;
  // The key frame that this one depends on at the most: shown no later. Without one, all since the restart.
  const auto behind = key_order_.upper_bound(pts);
  const std::int64_t from = behind == key_order_.begin() ? 1 : std::prev(behind)->second;
  const std::int64_t order = found->second;
  demanded_ += std::max<std::int64_t>(0, order - std::max(from, reached_ + 1) + 1);
  reached_ = std::max(reached_, order);
  order_.erase(order_.begin(), found);
  if (behind != key_order_.begin()) key_order_.erase(key_order_.begin(), std::prev(behind));
}

void DecodeTally::restart() {
  const DecodeCounts all = counts();
  *this = {};
  before_ = all;
}

DecodeCounts DecodeTally::counts() const {
  DecodeCounts all = before_;
  all += {shown_, demanded_ - shown_, sent_ - demanded_};
  return all;
}

}  // namespace emomedia::av
