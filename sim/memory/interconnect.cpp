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

void Interconnect::attach(std::vector<Attachment> sources) {
  sources_ = std::move(sources);
  for (const Attachment& a : sources_) a.unit->raise(asked_anew_);
  wishes_.resize(sources_.size());
  counters_.resize(sources_.size() * 2);
}

const TrafficCounters& Interconnect::counters(Requester requester, bool write, std::uint8_t core) const {
  const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const Attachment& a) {
    return a.requester == requester && a.core == core;
  });
  return counters_.at(static_cast<std::size_t>(source - sources_.begin()) * 2 + (write ? 1 : 0));
}

bool Interconnect::ask(std::size_t source) {
  const BurstSource& unit = *sources_[source].unit;
  const Cycle wanted = unit.next_issue();
  Wish& wish = wishes_[source];
  const bool same_cycle = wanted == wish.cycle;
  wish.cycle = wanted;
  if (wanted == kNever) return !same_cycle;
  const DramAddress address = unit.head().address;
  if (address == wish.address) return !same_cycle;
  wish.address = address;
  wish.channel = channel_of(address);
  return true;
}

// Notes how long the head waits for room: from the first cycle in which its channel would have taken it.
bool Interconnect::has_room(std::size_t source) {
  Wish& wish = wishes_[source];
  const bool write = sources_[source].unit->head().write;
  if (!dram_->has_room(wish.channel, wish.address, write)) {
    refused_ = true;
    if (wish.refused == kNever) wish.refused = std::max(wish.cycle, channel_next_[wish.channel]);
    return false;
  }
  note_room(source, write, time_);
  return true;
}

void Interconnect::note_room(std::size_t source, bool write, Cycle room) {
  Wish& wish = wishes_[source];
  if (wish.refused == kNever) return;
  if (room > wish.refused) counter(source, write).room_wait_cycles += room.value - wish.refused.value;
  wish.refused = kNever;
}

// Of two sources that could issue in the same cycle.
bool Interconnect::goes_first(std::size_t source, Cycle cycle, const Candidate& best) const {
  if (cycle != best.cycle) return cycle < best.cycle;
  return kind_of(sources_[source].requester) == kind_of(sources_[best.source].requester) &&
         wishes_[source].served < wishes_[best.source].served;
}

Interconnect::Candidate Interconnect::next_issue() {
  refused_ = false;
  // The room that the one before waited for is there, whatever its source wants by now.
  if (next_.room != Cycle() && next_.room <= time_) note_room(next_.source, false, next_.room);
  if (const auto only = only_wish()) return next_of(*only);
  Candidate best;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const Wish& wish = wishes_[i];
    if (wish.cycle == kNever || wish.cycle > best.cycle) continue;
    const Cycle cycle = std::max({wish.cycle, time_, channel_next_[wish.channel]});
    if (goes_first(i, cycle, best) && has_room(i)) best = {cycle, i};
  }
  return best;
}

// The source that wishes something; none if several do.
std::optional<std::size_t> Interconnect::only_wish() const {
  std::optional<std::size_t> only;
  for (std::size_t i = 0; i < wishes_.size(); ++i) {
    if (wishes_[i].cycle == kNever) continue;
    if (only) return std::nullopt;
    only = i;
  }
  return only;
}

// Of the only source that wishes something: nothing else is accepted before.
Interconnect::Candidate Interconnect::next_of(std::size_t source) {
  Wish& wish = wishes_[source];
  const Cycle cycle = std::max({wish.cycle, time_, channel_next_[wish.channel]});
  const Cycle room = dram_->room_from(wish.channel, sources_[source].unit->head().write);
  if (room == kNever) return has_room(source) ? Candidate{cycle, source} : Candidate{};
  if (room > time_ && wish.refused == kNever)
    wish.refused = std::max(wish.cycle, channel_next_[wish.channel]);
  return {std::max(cycle, room), source, room};
}

void Interconnect::advance(const Cycle& until) {
  if (until < due_ && !asked_anew_) {
    time_ = std::max(time_, until);
    return;
  }
  if (asked_anew_) {
    asked_anew_ = false;
    catch_up();
    for (std::size_t i = 0; i < sources_.size(); ++i) ask(i);
    next_ = next_issue();
  }
  for (;;) {
    const DramNotice notice = dram_->advance(std::min(until, next_.cycle));
    // What is issued next stands until a source wants something else or one that was refused may have room:
    // DRAM is not advanced beyond that issue, so the time that has passed does not put it off.
    bool stands = true;
    switch (notice.news) {
      case DramNews::data_bus:
        time_ = std::max(time_, notice.cycle);
        change_bus(notice.cycle);
        break;
      case DramNews::completion:
        time_ = std::max(time_, notice.cycle);
        stands = !(refused_ && dram_->completion_makes_room());
        stands = !complete() && stands;
        break;
      case DramNews::room:
        time_ = std::max(time_, notice.cycle);
        stands = false;
        break;
      case DramNews::nothing:
        if (next_.cycle >= until) {
          time_ = std::max(time_, until);
          due_ = std::min(notice.cycle, next_.cycle == kNever ? kNever : next_.cycle + 1);
          return;
        }
        time_ = next_.cycle;
        issue(next_);
        stands = false;
        break;
    }
    if (!stands) next_ = next_issue();
  }
}

void Interconnect::issue(const Candidate& candidate) {
  BurstSource& source = *sources_[candidate.source].unit;
  Burst burst = source.head();
  burst.source = static_cast<std::uint16_t>(candidate.source);
  Wish& wish = wishes_[candidate.source];
  const std::uint32_t channel = wish.channel;
  wish.served = ++served_;
  note_room(candidate.source, burst.write, candidate.room);
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

bool Interconnect::complete() {
  const Completion completion = dram_->take_completion();
  const std::size_t source = completion.burst.source;
  report(observe::EventKind::burst_done, completion.cycle, completion.channel, completion.burst);
  sources_[source].unit->completed(completion.cycle, completion.burst);
  return ask(source);
}

void Interconnect::change_bus(Cycle now) {
  const observe::State before = dram_->data_state();
  dram_->report_bus_change(hub_);
  const observe::State state = dram_->data_state();
  if (state == before) return;
  for (const Attachment& a : sources_) a.unit->data_state_changed(now, state);
}

void Interconnect::report(observe::EventKind kind, Cycle cycle, std::uint32_t channel, const Burst& burst) {
  hub_.emit({cycle, burst.address.value, burst.bytes, 0, kind, observe::channel_id(channel),
             static_cast<std::uint8_t>(static_cast<unsigned>(burst.requester) * 2 + (burst.write ? 1 : 0)),
             sources_[burst.source].core});
}

}  // namespace tokencycle::memory
