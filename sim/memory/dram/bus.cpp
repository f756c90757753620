// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/bus.h"

#include <algorithm>

namespace tokencycle::memory {

void DramBus::transferring(Clock begin, Clock end) {
  transfers_ += end - begin;
  // A write's data follow their command sooner than a read's: on another pseudo-channel they may be first.
  std::size_t at = coming_.size();
  while (at > first_ && coming_[at - 1].begin > begin) --at;
  coming_.insert(coming_.begin() + static_cast<std::ptrdiff_t>(at), {begin, end});
}

void DramBus::waiting(Clock from, DramWait wait) {
  settle(from);
  wait_ = wait;
}

void DramBus::leave_idle(Clock until) {
  if (until <= settled_) return;
  idle_[static_cast<std::size_t>(wait_)] += until - settled_;
  settled_ = until;
}

void DramBus::settle(Clock now) {
  while (first_ < coming_.size() && coming_[first_].begin < now) {
    const Interval& burst = coming_[first_];
    leave_idle(burst.begin);
    const Clock end = std::min(burst.end, now);
    if (end > settled_) {
      busy_ += end - settled_;
      settled_ = end;
    }
    if (burst.end > now) break;  // the rest of it comes later
    ++first_;
  }
  leave_idle(now);
  // What has passed is dropped now and then, not one by one.
  if (first_ != 0 && (first_ == coming_.size() || first_ >= 64)) {
    coming_.erase(coming_.begin(), coming_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

}  // namespace tokencycle::memory
