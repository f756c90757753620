// SPDX-License-Identifier: Apache-2.0
#include "machine/front_end/scoreboard.h"

#include <algorithm>
#include <bit>

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
    : entries_(machine.scoreboard.entries),
      used_(ceil_div(entries_.size(), kBits)),
      of_unit_(used_.size() * isa::kUnits * config::kMostUnits),
      units_{1, static_cast<std::uint8_t>(machine.dma.engines),
             static_cast<std::uint8_t>(machine.dma.engines), static_cast<std::uint8_t>(machine.matrix.units),
             static_cast<std::uint8_t>(machine.vector.units)},
      queue_depth_(machine.dispatch.queue_depth) {}

template <class Call>
bool Scoreboard::any_used(const std::uint64_t* left_out, const Call& call) const {
  for (std::size_t w = 0; w < used_.size(); ++w) {
    std::uint64_t left = used_[w] & ~(left_out == nullptr ? 0 : left_out[w]);
    for (; left != 0; left &= left - 1) {
      if (call(entries_[w * kBits + static_cast<std::size_t>(std::countr_zero(left))])) return true;
    }
  }
  return false;
}

Choice Scoreboard::choose(isa::Unit unit, const isa::Footprint& footprint,
                          std::optional<std::uint8_t> bound) const {
  const auto kind = static_cast<std::size_t>(unit);
  if (bound || units_[kind] == 1) {
    const std::uint8_t index = bound.value_or(0);
    return {index, obstacle(unit, footprint, index)};
  }
  std::optional<Choice> best;
  for (std::uint8_t i = 0; i < units_[kind]; ++i) {
    const Choice choice{i, obstacle(unit, footprint, i)};
    if (best) {
      const bool free = choice.obstacle.state == State::busy, best_free = best->obstacle.state == State::busy;
      if (free != best_free ? best_free : in_flight_[kind][i] >= in_flight_[kind][best->unit_index]) continue;
    }
    best = choice;
  }
  return *best;
}

Obstacle Scoreboard::obstacle(isa::Unit unit, const isa::Footprint& footprint,
                              std::uint8_t unit_index) const {
  if (in_use_ == entries_.size()) return {State::scoreboard_full, oldest().record.unit};
  if (queued_[static_cast<std::size_t>(unit)][unit_index] >= queue_depth_) return {State::queue_full, unit};
  if (ignore_hazards_) return {};
  Obstacle found;
  const std::uint64_t* own = in_order(unit) ? &of_unit_[first_of(unit, unit_index)] : nullptr;
  any_used(own, [&](const InFlight& e) {
    const isa::Footprint& f = e.footprint;
    if (overlap(footprint.read_ranges(), f.write_ranges())) {
      found = {State::read_after_write, e.record.unit};
      return true;
    }
    if (found.state == State::write_after_write) return false;
    if (overlap(footprint.write_ranges(), f.write_ranges())) {
      found = {State::write_after_write, e.record.unit};
    } else if (overlap(footprint.write_ranges(), f.read_ranges())) {
      found = {State::write_after_read, e.record.unit};
    }
    return false;
  });
  return found;
}

Obstacle Scoreboard::read_obstacle(const isa::Footprint& footprint) const {
  if (ignore_hazards_) return {};
  Obstacle found;
  any_used(nullptr, [&](const InFlight& e) {
    if (!overlap(footprint.read_ranges(), e.footprint.write_ranges())) return false;
    found = {State::read_after_write, e.record.unit};
    return true;
  });
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

bool Scoreboard::empty(isa::Unit unit) const {
  const auto& counts = in_flight_[static_cast<std::size_t>(unit)];
  return std::all_of(counts.begin(), counts.end(), [](std::uint32_t n) { return n == 0; });
}

InFlight& Scoreboard::insert(isa::Unit unit, std::uint8_t unit_index) {
  ++queued_[static_cast<std::size_t>(unit)][unit_index];
  ++in_flight_[static_cast<std::size_t>(unit)][unit_index];
  ++in_use_;
  std::size_t w = 0;
  while (used_[w] == ~std::uint64_t{0}) ++w;
  const int bit = std::countr_one(used_[w]);  // the first free one
  used_[w] |= std::uint64_t{1} << bit;
  of_unit_[first_of(unit, unit_index) + w] |= std::uint64_t{1} << bit;
  InFlight& entry = entries_[w * kBits + static_cast<std::size_t>(bit)];
  entry.used = true;
  return entry;
}

void Scoreboard::left_queue(InFlight& entry) {
  --of(queued_, entry.record);
}

void Scoreboard::remove(InFlight& entry) {
  entry.used = false;
  --in_use_;
  const auto i = static_cast<std::size_t>(&entry - entries_.data());
  const std::uint64_t bit = std::uint64_t{1} << i % kBits;
  used_[i / kBits] &= ~bit;
  of_unit_[first_of(entry.record.unit, entry.record.unit_index) + i / kBits] &= ~bit;
  --of(in_flight_, entry.record);
}

}  // namespace tokencycle::machine
