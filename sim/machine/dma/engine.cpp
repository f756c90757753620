// SPDX-License-Identifier: Apache-2.0
#include "machine/dma/engine.h"

#include <algorithm>

namespace tokencycle::machine {

using observe::State;

namespace {
// Bursts that are cut before they are issued. With one access a cycle the next one is read when the one
// before has gone; with several, reading ahead hides the scratchpad's latency.
std::uint32_t bursts_ahead(const config::Machine& machine) {
  const std::uint32_t a_cycle = machine.dma.bursts_per_cycle;
  return a_cycle == 1 ? 1 : a_cycle * (machine.scratchpad.read_latency_cycles + 1);
}
}  // namespace

DmaEngine::DmaEngine(const DmaContext& context, observe::UnitId unit, memory::Requester requester,
                     memory::Port local_port, std::uint32_t bursts_in_flight)
    : context_(context),
      burst_bytes_(context.machine.dram.burst_bytes),
      port_bytes_(context.machine.dma.port_bytes),
      port_(context.machine.dma),
      local_port_(local_port),
      state_(context.hub, unit),
      unit_(unit),
      requester_(requester),
      limit_(bursts_in_flight),
      ahead_(bursts_ahead(context.machine)),
      landings_(tags(context.machine, limit_)) {
  for (std::uint32_t tag = 0; tag < landings_.size(); ++tag) free_tags_.push_back(tag);
}

std::uint32_t DmaEngine::tags(const config::Machine& machine, std::uint32_t bursts_in_flight) {
  return bursts_in_flight + bursts_ahead(machine);
}

void DmaEngine::push(Cycle now, InFlight& entry) {
  transfers_.push_back({&entry, walk_of(entry.instruction), now + 1, 0, now, false});
  if (cutting_ == transfers_.end()) cutting_ = std::prev(transfers_.end());
  read_ahead(now);
  note_change();
  update_state(now);
  context_.clock.wake(now + 1);
}

std::uint64_t DmaEngine::port_bytes_so_far() const {
  return context_.local.scratchpad().counters(local_port_).bytes;
}

void DmaEngine::read_ahead(Cycle now) {
  while (cutting_ != transfers_.end() && heads_.size() < ahead_) cut(now);
}

void DmaEngine::cut(Cycle now) {
  Transfer& transfer = *cutting_;
  const std::uint32_t tag = free_tags_.back();
  free_tags_.pop_back();
  const std::uint64_t before = port_bytes_so_far();
  const Cycle ready = prepare(now, std::max(now, transfer.seen), transfer, tag);
  transfer.entry->record.scratchpad_bytes += port_bytes_so_far() - before;
  const BurstWalk::Piece piece = transfer.walk.piece();
  landings_[tag] = {&transfer, piece.offset};
  heads_.push_back(
      {{piece.address, piece.bytes, kind_of(requester_) == memory::Requester::store, requester_, tag},
       ready});
  ++transfer.outstanding;
  transfer.walk.next(piece);
  if (transfer.walk.done()) ++cutting_;
}

Cycle DmaEngine::next_issue() const {
  if (heads_.empty()) return kNever;
  const Cycle ready = heads_.front().ready;
  if (in_flight_ + releases_.size() < limit_) return ready;
  return releases_.empty() ? kNever : std::max(ready, releases_.front());
}

void DmaEngine::issued(Cycle now) {
  while (!releases_.empty() && releases_.front() <= now) releases_.pop_front();
  Transfer& transfer = *landings_[heads_.front().burst.tag].transfer;
  if (!transfer.started) {
    transfer.started = true;
    observe::InstructionRecord& record = transfer.entry->record;
    record.started = now;
    context_.hub.emit_stage(now, record, unit_, observe::Stage::started);
  }
  ++in_flight_;
  transfer.entry->record.work += burst_bytes_;
  heads_.pop_front();
  if (!heads_.empty()) heads_.front().ready = std::max(heads_.front().ready, now);
  read_ahead(now);
  update_state(now);
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
  update_state(now);
  if (transfer.outstanding == 0 && transfer.walk.done()) context_.clock.wake(transfer.done_at);
}

// Ends the transfers whose last byte is in place. completed() asks for the edge in which it is.
Cycle DmaEngine::edge(Cycle now) {
  Cycle next = kNever;
  for (auto t = transfers_.begin(); t != cutting_ && t != transfers_.end();) {
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

// The port is what limits while at least as many bursts wait for it as for DRAM. Asks for the edge in which
// that ends by itself.
bool DmaEngine::port_limits(Cycle now) {
  while (!waiting_.empty() && waiting_.front() <= now) waiting_.pop_front();
  const std::size_t enough = std::max(in_flight_, 1u);
  if (waiting_.size() < enough) return false;
  context_.clock.wake(waiting_[waiting_.size() - enough]);
  return true;
}

void DmaEngine::update_state(Cycle now) {
  if (state_.now() == State::halted) return;
  if (transfers_.empty()) {
    state_.set(State::idle, now);
  } else if (port_limits(now)) {
    state_.set(State::port_wait, now);
  } else {
    state_.set(data_state_ == State::idle ? State::dram_latency : data_state_, now);
  }
}

}  // namespace tokencycle::machine
