// SPDX-License-Identifier: Apache-2.0
#include "machine/front_end/scoreboard.h"

namespace tokencycle::machine {

using observe::State;

namespace {

bool overlap(std::span<const isa::Range> a, std::span<const isa::Range> b) {
  for (const isa::Range& x : a) {
    for (const isa::Range& y : b) {
      if (x.overlaps(y)) return true;
    }
  }
  return false;
}

bool in_order(isa::Unit unit) {
  return unit == isa::Unit::matrix || unit == isa::Unit::vector;
}

}  // namespace

Scoreboard::Scoreboard(const config::Machine& machine)
    : entries_(machine.scoreboard.entries), queue_depth_(machine.dispatch.queue_depth) {}

Obstacle Scoreboard::obstacle(isa::Unit unit, const isa::Footprint& footprint) const {
  if (used_ == entries_.size()) return {State::scoreboard_full, oldest().record.unit};
  if (queued_[static_cast<std::size_t>(unit)] >= queue_depth_) return {State::queue_full, unit};
  if (ignore_hazards_) return {};
  Obstacle found;
  for (const InFlight& e : entries_) {
    if (!e.used || (e.record.unit == unit && in_order(unit))) continue;
    const isa::Footprint& f = e.footprint;
    if (overlap(footprint.read_ranges(), f.write_ranges())) return {State::read_after_write, e.record.unit};
    if (found.state == State::write_after_write) continue;
    if (overlap(footprint.write_ranges(), f.write_ranges())) {
      found = {State::write_after_write, e.record.unit};
    } else if (overlap(footprint.write_ranges(), f.read_ranges())) {
      found = {State::write_after_read, e.record.unit};
    }
  }
  return found;
}

Obstacle Scoreboard::fence_obstacle(std::uint8_t units) const {
  for (int u = 1; u < isa::kUnits; ++u) {
    const auto unit = static_cast<isa::Unit>(u);
    if ((units >> u & 1) != 0 && !empty(unit)) return {State::fence, unit};
  }
  return {};
}

const InFlight& Scoreboard::oldest() const {
  const InFlight* oldest = &entries_.front();
  for (const InFlight& e : entries_) {
    if (e.used && e.record.sequence < oldest->record.sequence) oldest = &e;
  }
  return *oldest;
}

InFlight& Scoreboard::insert(isa::Unit unit) {
  ++used_;
  ++queued_[static_cast<std::size_t>(unit)];
  ++in_flight_[static_cast<std::size_t>(unit)];
  std::size_t i = 0;
  while (entries_[i].used) ++i;
  entries_[i].used = true;
  return entries_[i];
}

void Scoreboard::left_queue(InFlight& entry) {
  --queued_[static_cast<std::size_t>(entry.record.unit)];
}

void Scoreboard::remove(InFlight& entry) {
  entry.used = false;
  --used_;
  --in_flight_[static_cast<std::size_t>(entry.record.unit)];
}

}  // namespace tokencycle::machine
