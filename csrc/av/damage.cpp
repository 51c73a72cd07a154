#include "av/damage.h"

#include <algorithm>

namespace emomedia::av {

void DamageTracker::sent(std::int64_t pts, bool key, bool comes_out) {
  ++sent_;
  if (comes_out) frames_[pts] = {sent_, false};
  if (key) keys_.push_back({sent_, pts});
}

void DamageTracker::broken() { note(sent_); }

void DamageTracker::note(std::int64_t order) {
  any_ = true;
  damages_.insert(std::ranges::upper_bound(damages_, order), order);
}

std::int64_t DamageTracker::order_of(std::int64_t pts) const {
  const auto known = frames_.find(pts);
  return known != frames_.end() ? known->second.order : sent_;
}

void DamageTracker::came_out(std::int64_t pts, bool concealed) {
  for (auto frame = frames_.begin(); frame != frames_.end() && frame->first <= pts; ++frame) frame->second.out = true;
  if (concealed) note(order_of(pts));
}

bool DamageTracker::is_settled(std::int64_t pts) const {
  const std::int64_t order = order_of(pts);
  return std::ranges::none_of(frames_, [order](const auto& frame) {
    return !frame.second.out && frame.second.order < order;
  });
}

bool DamageTracker::is_damaged(std::int64_t pts) {
  const std::int64_t order = order_of(pts);
  frames_.erase(frames_.begin(), frames_.upper_bound(pts));
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
