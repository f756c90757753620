// SPDX-License-Identifier: Apache-2.0
// How long each unit was in each state.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "observe/event.h"

namespace tokencycle::observe {

class UnitStatistics : public Observer {
 public:
  // Counts from `start` on. A channel's data bus is idle until it says otherwise.
  UnitStatistics(std::uint32_t dram_channels, Cycle start) : units_(kFirstChannel + dram_channels) {
    for (std::size_t i = 0; i < units_.size(); ++i) {
      units_[i].since = start;
      if (i >= kFirstChannel) units_[i].state = State::idle;
    }
  }

  std::uint32_t interests() const override { return kinds({EventKind::unit_state}); }
  void on_event(const Event& event) override {
    Unit& unit = units_[static_cast<std::size_t>(event.unit)];
    settle(unit, event.cycle);
    unit.state = static_cast<State>(event.detail);
  }

  // Counts all units up to, not including, `end`; call it at the end of each program.
  void settle_all(Cycle end) {
    for (Unit& u : units_) settle(u, end);
  }

  std::size_t units() const { return units_.size(); }
  // Cycles of a unit in a state; over all states they sum to the settled cycles.
  std::uint64_t cycles(UnitId unit, State state) const {
    return units_[static_cast<std::size_t>(unit)].cycles[static_cast<std::size_t>(state)];
  }
  State state(UnitId unit) const { return units_[static_cast<std::size_t>(unit)].state; }

  template <class Archive>
  void serialize(Archive& state) {
    state(units_);
  }

 private:
  struct Unit {
    State state = State::halted;
    Cycle since;
    std::array<std::uint64_t, kStates> cycles{};

    template <class Archive>
    void serialize(Archive& archive) {
      archive(state, since, cycles);
    }
  };
  static void settle(Unit& unit, Cycle now) {
    unit.cycles[static_cast<std::size_t>(unit.state)] += now.value - unit.since.value;
    unit.since = now;
  }
  std::vector<Unit> units_;
};

}  // namespace tokencycle::observe
