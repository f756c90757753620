// SPDX-License-Identifier: Apache-2.0
// How long each unit was in each state.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "observe/event.h"
#include "observe/unit_list.h"

namespace tokencycle::observe {

class UnitStatistics : public Observer {
 public:
  // Counts from `start` on. A channel's data bus is idle until it says otherwise.
  UnitStatistics(UnitList list, Cycle start) : list_(std::move(list)), units_(list_.size()) {
    for (std::size_t i = 0; i < units_.size(); ++i) {
      units_[i].since = start;
      if (i >= list_.of_core()) units_[i].state = State::idle;
    }
  }
  UnitStatistics(std::uint32_t dram_channels, Cycle start) : UnitStatistics(UnitList(dram_channels), start) {}

  std::uint32_t interests() const override { return kinds({EventKind::unit_state}); }
  void on_event(const Event& event) override {
    Unit& unit = units_[list_.index(event.unit)];
    settle(unit, event.cycle);
    unit.state = static_cast<State>(event.detail);
  }

  // Counts all units up to, not including, `end`; call it at the end of each program.
  void settle_all(Cycle end) {
    for (Unit& u : units_) settle(u, end);
  }

  const UnitList& units() const { return list_; }
  // Cycles of a unit in a state; over all states they sum to the settled cycles.
  std::uint64_t cycles(UnitId unit, State state) const {
    return units_[list_.index(unit)].cycles[static_cast<std::size_t>(state)];
  }
  State state(UnitId unit) const { return units_[list_.index(unit)].state; }

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
  UnitList list_;
  std::vector<Unit> units_;  // in the order of the list
};

}  // namespace tokencycle::observe
