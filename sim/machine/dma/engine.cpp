// SPDX-License-Identifier: Apache-2.0
#include "machine/dma/engine.h"

#include <algorithm>

namespace tokencycle::machine {

using observe::State;

DmaEngine::DmaEngine(const DmaContext& context, observe::UnitId unit, Turn turn, memory::Requester requester,
                     std::uint32_t bursts_in_flight)
    : context_(context),
      burst_bytes_(context.machine.dram.burst_bytes),
      port_bytes_(context.machine.dma.port_bytes),
      state_(context.hub, unit),
      unit_(unit),
      turn_(turn),
      requester_(requester),
      limit_(bursts_in_flight),
      landings_(limit_ + 1) {
  for (std::uint32_t tag = 0; tag <= limit_; ++tag) free_tags_.push_back(tag);
}

void DmaEngine::push(Cycle now, InFlight& entry) {
  transfers_.push_back({&entry, walk_of(entry.instruction), now + 1, 0, now, false});
  if (issuing_ == transfers_.end()) {
    issuing_ = std::prev(transfers_.end());
    prepare_head(now, issuing_->seen);
  }
  update_state(now);
  context_.clock.wake(turn_, now + 1);
}

std::uint64_t DmaEngine::port_bytes_so_far() const {
  const bool store = requester_ == memory::Requester::store;
  return context_.local.scratchpad().counters(store ? memory::Port::store : memory::Port::load).bytes;
}

void DmaEngine::prepare_head(Cycle now, Cycle earliest) {
  const std::uint32_t tag = free_tags_.back();
  free_tags_.pop_back();
  const std::uint64_t before = port_bytes_so_far();
  ready_at_ = prepare(now, earliest, *issuing_, tag);
  issuing_->entry->record.scratchpad_bytes += port_bytes_so_far() - before;
  const BurstWalk::Piece piece = issuing_->walk.piece();
  landings_[tag] = {&*issuing_, piece.offset};
  head_ = {piece.address, piece.bytes, requester_ == memory::Requester::store, requester_, tag};
}

Cycle DmaEngine::next_issue() const {
  if (issuing_ == transfers_.end()) return kNever;
  if (in_flight_ + releases_.size() < limit_) return ready_at_;
  return releases_.empty() ? kNever : std::max(ready_at_, releases_.front());
}

void DmaEngine::issued(Cycle now) {
  while (!releases_.empty() && releases_.front() <= now) releases_.pop_front();
  Transfer& transfer = *issuing_;
  if (!transfer.started) {
    transfer.started = true;
    observe::InstructionRecord& record = transfer.entry->record;
    record.started = now;
    context_.hub.emit_stage(now, record, unit_, observe::Stage::started);
  }
  ++transfer.outstanding;
  ++in_flight_;
  transfer.entry->record.work += burst_bytes_;
  transfer.walk.next();
  if (transfer.walk.done()) ++issuing_;
  if (issuing_ != transfers_.end()) prepare_head(now, std::max(now, issuing_->seen));
}

void DmaEngine::completed(Cycle now, const memory::Burst& burst) {
  const Landing& landing = landings_[burst.tag];
  Transfer& transfer = *landing.transfer;
  const std::uint64_t before = port_bytes_so_far();
  const Cycle in_place = land(now, *transfer.entry, landing.offset, burst);
  transfer.entry->record.scratchpad_bytes += port_bytes_so_far() - before;
  free_tags_.push_back(burst.tag);
  --in_flight_;
  --transfer.outstanding;
  transfer.done_at = std::max(transfer.done_at, in_place);
  releases_.push_back(in_place);
  if (transfer.outstanding == 0 && transfer.walk.done()) context_.clock.wake(turn_, transfer.done_at);
}

// Ends the transfers whose last byte is in place. completed() asks for the edge in which it is.
Cycle DmaEngine::edge(Cycle now) {
  Cycle next = kNever;
  for (auto t = transfers_.begin(); t != issuing_ && t != transfers_.end();) {
    if (t->outstanding != 0 || t->done_at > now) {
      if (t->outstanding == 0) next = std::min(next, t->done_at);
      ++t;
      continue;
    }
    context_.board.left_queue(now, *t->entry);
    context_.results.finished(now, *t->entry);
    t = transfers_.erase(t);
  }
  update_state(now);
  return next;
}

void DmaEngine::data_state_changed(Cycle now, State state) {
  data_state_ = state;
  update_state(now);
}

void DmaEngine::update_state(Cycle now) {
  if (state_.now() == State::halted) return;
  if (transfers_.empty()) {
    state_.set(State::idle, now);
  } else {
    state_.set(data_state_ == State::idle ? State::dram_latency : data_state_, now);
  }
}

}  // namespace tokencycle::machine
