// SPDX-License-Identifier: Apache-2.0
#include "memory/interconnect.h"

#include <algorithm>

namespace tokencycle::memory {

Interconnect::Interconnect(std::unique_ptr<Dram> dram, const config::Machine& machine, observe::EventHub& hub)
    : dram_(std::move(dram)),
      hub_(hub),
      channel_next_(machine.dram.channels),
      burst_bytes_(machine.dram.burst_bytes) {
  dram_->tell(hub_);
}

void Interconnect::ask(int source) {
  const Cycle wanted = sources_[source]->next_issue();
  Wish& wish = wishes_[source];
  wish.cycle = wanted;
  if (wanted == kNever) return;
  const DramAddress address = sources_[source]->head().address;
  if (address == wish.address) return;
  wish.address = address;
  wish.channel = dram_->channel_of(address);
}

// Notes how long the head waits for room: from the first cycle in which its channel would have taken it.
bool Interconnect::has_room(int source) {
  Wish& wish = wishes_[source];
  const bool write = sources_[source]->head().write;
  if (!dram_->has_room(wish.channel, wish.address, write)) {
    if (wish.refused == kNever) wish.refused = std::max(wish.cycle, channel_next_[wish.channel]);
    return false;
  }
  if (wish.refused != kNever) {
    if (time_ > wish.refused) counter(source, write).room_wait_cycles += time_.value - wish.refused.value;
    wish.refused = kNever;
  }
  return true;
}

Interconnect::Candidate Interconnect::next_issue() {
  Candidate best;
  for (int i = 0; i < kRequesters; ++i) {
    const Wish& wish = wishes_[i];
    if (wish.cycle >= best.cycle) continue;
    const Cycle cycle = std::max({wish.cycle, time_, channel_next_[wish.channel]});
    if (cycle < best.cycle && has_room(i)) best = {cycle, i};
  }
  return best;
}

void Interconnect::advance(const Cycle& until) {
  for (int i = 0; i < kRequesters; ++i) ask(i);
  for (;;) {
    const Candidate issue_next = next_issue();
    const DramNotice notice = dram_->advance(std::min(until, issue_next.cycle));
    if (notice.news != DramNews::nothing) {
      time_ = std::max(time_, notice.cycle);
      if (notice.news == DramNews::data_bus) change_bus(notice.cycle);
      if (notice.news == DramNews::completion) complete();
    } else if (issue_next.cycle < until) {
      time_ = issue_next.cycle;
      issue(issue_next);
    } else {
      break;
    }
  }
  time_ = std::max(time_, until);
}

void Interconnect::issue(const Candidate& candidate) {
  BurstSource& source = *sources_[candidate.source];
  const Burst burst = source.head();
  const std::uint32_t channel = wishes_[candidate.source].channel;
  dram_->accept(candidate.cycle, burst);
  channel_next_[channel] = candidate.cycle + 1;
  TrafficCounters& c = counter(candidate.source, burst.write);
  ++c.bursts;
  c.used_bytes += burst.bytes;
  c.moved_bytes += burst_bytes_;
  report(observe::EventKind::burst_issued, candidate.cycle, channel, burst);
  source.issued(candidate.cycle);
  ask(candidate.source);
}

void Interconnect::complete() {
  const Completion completion = dram_->take_completion();
  const auto source = static_cast<int>(completion.burst.requester);
  report(observe::EventKind::burst_done, completion.cycle, dram_->channel_of(completion.burst.address),
         completion.burst);
  sources_[source]->completed(completion.cycle, completion.burst);
  ask(source);
}

void Interconnect::change_bus(Cycle now) {
  const observe::State before = dram_->data_state();
  dram_->report_bus_change(hub_);
  const observe::State state = dram_->data_state();
  if (state == before) return;
  for (BurstSource* s : sources_) s->data_state_changed(now, state);
}

void Interconnect::report(observe::EventKind kind, Cycle cycle, std::uint32_t channel, const Burst& burst) {
  hub_.emit({cycle, burst.address.value, burst.bytes, 0, kind, observe::channel_id(channel),
             static_cast<std::uint8_t>(static_cast<unsigned>(burst.requester) * 2 + (burst.write ? 1 : 0)),
             0});
}

}  // namespace tokencycle::memory
