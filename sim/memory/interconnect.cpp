// SPDX-License-Identifier: Apache-2.0
#include "memory/interconnect.h"

#include <algorithm>

namespace tokencycle::memory {

Interconnect::Interconnect(std::unique_ptr<Dram> dram, const config::Machine& machine, observe::EventHub& hub)
    : dram_(std::move(dram)),
      hub_(hub),
      channel_next_(machine.dram.channels),
      burst_bytes_(machine.dram.burst_bytes) {}

Interconnect::Candidate Interconnect::next_issue() const {
  Candidate best;
  for (int i = 0; i < kRequesters; ++i) {
    const Cycle wanted = sources_[i]->next_issue();
    if (wanted == kNever || wanted >= best.cycle) continue;
    const Burst& burst = sources_[i]->head();
    if (!dram_->has_room(burst)) continue;
    const Cycle cycle = std::max({wanted, time_, channel_next_[dram_->channel_of(burst.address)]});
    if (cycle < best.cycle) best = {cycle, i};
  }
  return best;
}

void Interconnect::advance(Cycle now) {
  for (;;) {
    const Cycle change = dram_->next_bus_change();
    const Cycle done = dram_->next_completion();
    const Candidate issue_next = next_issue();
    const Cycle arrival = std::min(change, done);
    if (arrival <= now && arrival <= issue_next.cycle) {
      time_ = std::max(time_, arrival);
      change <= done ? change_bus() : complete();
    } else if (issue_next.cycle < now) {
      time_ = issue_next.cycle;
      issue(issue_next);
    } else {
      break;
    }
  }
  time_ = std::max(time_, now);
}

void Interconnect::issue(const Candidate& candidate) {
  BurstSource& source = *sources_[candidate.source];
  const Burst burst = source.head();
  const Cycle earliest = dram_->accept(candidate.cycle, burst);
  channel_next_[dram_->channel_of(burst.address)] = candidate.cycle + 1;
  TrafficCounters& c = counters_[static_cast<std::size_t>(candidate.source) * 2 + (burst.write ? 1 : 0)];
  ++c.bursts;
  c.used_bytes += burst.bytes;
  c.moved_bytes += burst_bytes_;
  report(observe::EventKind::burst_issued, candidate.cycle, burst);
  source.issued(candidate.cycle, earliest);
}

void Interconnect::complete() {
  const Completion completion = dram_->take_completion();
  report(observe::EventKind::burst_done, completion.cycle, completion.burst);
  sources_[static_cast<std::size_t>(completion.burst.requester)]->completed(completion.cycle,
                                                                            completion.burst);
}

void Interconnect::change_bus() {
  const bool before = dram_->bus_active();
  const Cycle now = dram_->next_bus_change();
  dram_->report_bus_change(hub_);
  const bool active = dram_->bus_active();
  if (active == before) return;
  for (BurstSource* s : sources_) s->bus_changed(now, active);
}

void Interconnect::report(observe::EventKind kind, Cycle cycle, const Burst& burst) {
  hub_.emit({cycle, burst.address.value, burst.bytes, 0, kind,
             observe::channel_id(dram_->channel_of(burst.address)),
             static_cast<std::uint8_t>(static_cast<unsigned>(burst.requester) * 2 + (burst.write ? 1 : 0)), 0});
}

}  // namespace tokencycle::memory
