// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/port.h"

#include <algorithm>
#include <utility>

#include "base/quantity.h"

namespace tokencycle::memory {

class DramPort::Channel : public DramListener {
 public:
  Channel(const config::DramSystem& system, DramPort& port) : port_(port), controller_(system, *this) {}
  DramController& controller() { return controller_; }
  const DramController& controller() const { return controller_; }
  void completed(std::uint64_t id, Clock clock) override { port_.completed(id, clock); }
  bool wants_waits() const override { return false; }

 private:
  DramPort& port_;
  DramController controller_;
};

DramPort::DramPort(const config::DramSystem& system) : system_(system), map_(system) {
  for (std::uint32_t c = 0; c < system.channels; ++c) {
    channels_.push_back(std::make_unique<Channel>(system, *this));
  }
}

DramPort::~DramPort() = default;

std::uint32_t DramPort::bursts_of(const DramPortRequest& r) const {
  const std::uint64_t burst = system_.device.burst_bytes, first = r.address & ~(burst - 1);
  return static_cast<std::uint32_t>(ceil_div(r.address + r.bytes - first, burst));
}

void DramPort::give(const DramPortRequest& request) {
  pending_.push_back(request);
}

void DramPort::completed(std::uint64_t place, Clock clock) {
  Open& open = all_[place];
  open.end = std::max(open.end, clock);
  if (--open.bursts != 0) return;
  done_.push({open.end, orders_++, open.id});
  places_.push_back(place);
  --open_;
}

// The first request's next bursts; false where the queue is full.
bool DramPort::arrive(Clock t) {
  const DramPortRequest& r = pending_.front();
  const std::uint64_t burst = system_.device.burst_bytes, first = r.address & ~(burst - 1);
  const std::uint32_t bursts = bursts_of(r);
  while (placed_ < bursts) {
    const DramPlace place = map_.place(first + placed_ * burst);
    DramController& controller = channels_[place.channel]->controller();
    controller.advance(t);
    if (!controller.has_room(r.write, place.bank)) {
      retry_ = std::max(t + 1, controller.next_event());
      return false;
    }
    if (placed_ == 0) {
      if (places_.empty()) {
        places_.push_back(all_.size());
        all_.emplace_back();
      }
      first_place_ = places_.back();
      places_.pop_back();
      all_[first_place_] = {r.id, bursts, t};
      ++open_;
    }
    ++placed_;
    controller.accept(t, {first_place_, r.write, place.bank, place.row, place.column});
  }
  events_.push_back({DramPortEvent::Kind::arrived, r.id, t});
  pending_.pop_front();
  placed_ = 0;
  free_ = t + 1;
  return true;
}

void DramPort::step(Clock t) {
  for (const auto& channel : channels_) {
    if (channel->controller().next_event() <= t) channel->controller().advance(t);
  }
  if (!pending_.empty() && t >= std::max({pending_.front().at, free_, retry_})) arrive(t);
  while (!done_.empty() && done_.top().clock <= t) {
    events_.push_back({DramPortEvent::Kind::done, done_.top().id, done_.top().clock});
    done_.pop();
  }
}

std::vector<DramPortEvent> DramPort::advance(Clock until) {
  for (Clock t = next_event(); t <= until && t != kNoClock; t = next_event()) step(t);
  return std::exchange(events_, {});
}

Clock DramPort::next_event() const {
  Clock next = done_.empty() ? kNoClock : done_.top().clock;
  if (!pending_.empty()) next = std::min(next, std::max({pending_.front().at, free_, retry_}));
  // Refreshes of a memory without requests are given when it has some again.
  if (pending_.empty() && open_ == 0) return next;
  for (const auto& channel : channels_) {
    const DramController& controller = channel->controller();
    if (controller.waiting() != 0) next = std::min(next, controller.next_event());
  }
  return next;
}

DramCounters DramPort::counters(Clock until) {
  DramCounters sum;
  for (const auto& channel : channels_) channel->controller().advance(until);
  for (const auto& channel : channels_) sum += channel->controller().counters();
  return sum;
}

}  // namespace tokencycle::memory
