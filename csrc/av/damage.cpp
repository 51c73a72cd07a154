#include "av/damage.h"

#include <algorithm>

namespace emomedia::av {

void DamageTracker::sent(std::int64_t pts, bool key) {
  ++sent_;
  order_of_[pts] = sent_;
  if (key) keys_.push_back({sent_, pts});
}

void DamageTracker::broken() { note(sent_); }

void DamageTracker::note(std::int64_t order) {
  any_ = true;
  damages_.insert(std::ranges::upper_bound(damages_, order), order);
}

bool DamageTracker::is_damaged(std::int64_t pts, bool concealed) {
  const auto known = order_of_.find(pts);
  const std::int64_t order = known != order_of_.end() ? known->second : sent_;
  order_of_.erase(order_of_.begin(), order_of_.upper_bound(pts));
  if (concealed) note(order);
  // The key frame that this one depends on at the most: decoded no later and shown no later. A picture
  // that is shown before the key frame that it is decoded after may look back beyond it.
  std::int64_t from = 0;
  for (const Key& key : keys_) {
    if (key.order <= order && key.pts <= pts) from = key.order;
  }
  while (!keys_.empty() && keys_.front().order < from) keys_.pop_front();
  while (!damages_.empty() && damages_.front() < from) damages_.pop_front();
  return !damages_.empty() && damages_.front() <= order;
}

}  // namespace emomedia::av
