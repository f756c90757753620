// SPDX-License-Identifier: Apache-2.0
#include "observe/analysis/dependency_finder.h"

namespace tokencycle::observe {

namespace {

// The isa::Unit of an executing unit's id; front_end for all others.
isa::Unit executing_unit(UnitId id) {
  switch (kind_of(id)) {
    case UnitId::load:
      return isa::Unit::load;
    case UnitId::store:
      return isa::Unit::store;
    case UnitId::matrix:
      return isa::Unit::matrix;
    case UnitId::vector:
      return isa::Unit::vector;
    default:
      return isa::Unit::front_end;
  }
}

// The stage with which an instruction gives its queue entry back.
Stage leaves_queue_with(isa::Unit unit) {
  return unit == isa::Unit::matrix || unit == isa::Unit::vector ? Stage::started : Stage::finished;
}

}  // namespace

void DependencyFinder::follow(const Event& event) {
  const auto stage = static_cast<Stage>(event.detail);
  if (stage == Stage::decoded) {
    held_ = event.number;
    return;
  }
  const isa::Unit unit = executing_unit(event.unit);
  if (unit == isa::Unit::front_end) return;
  if (stage == Stage::written_back) retired_[static_cast<std::size_t>(unit)].add(event);
  if (stage == leaves_queue_with(unit)) left_queue_[static_cast<std::size_t>(unit)].add(event);
}

std::optional<Dependency> DependencyFinder::change_obstacle(const Event& event) {
  const State ended = obstacle_;
  const std::uint64_t unit = waits_for_;
  obstacle_ = static_cast<State>(event.detail);
  waits_for_ = event.value;
  if (unit == 0 || unit > isa::kUnits) return {};
  const Departures* departures = nullptr;
  switch (ended) {
    case State::read_after_write:
    case State::write_after_read:
    case State::write_after_write:
    case State::fence:
      departures = &retired_[unit - 1];
      break;
    case State::queue_full:
      departures = &left_queue_[unit - 1];
      break;
    default:
      return {};
  }
  if (departures->cycle != event.cycle) return {};
  if (departures->count > 1 && ended != State::fence) return {};
  return Dependency{held_, departures->last, ended};
}

}  // namespace tokencycle::observe
