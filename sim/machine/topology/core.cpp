// SPDX-License-Identifier: Apache-2.0
#include "machine/topology/core.h"

#include <algorithm>
#include <type_traits>

#include "base/state_archives.h"

namespace tokencycle::machine {

namespace {

std::uint32_t most_of_a_kind(const std::vector<UnitPlace>& units) {
  std::uint32_t most = 0;
  for (const UnitPlace& u : units) most = std::max(most, u.index + 1);
  return most;
}

}  // namespace

Core::Core(sc_core::sc_module_name name, const CoreContext& context, std::uint32_t first_turn)
    : sc_module(name),
      context_(context),
      units_(units_of_core(context.machine)),
      first_turn_(first_turn),
      of_core_(context.hub, context.number),
      hub_(context.machine.cores == 1 ? context.hub : of_core_),
      scratchpad_(context.machine.scratchpad, most_of_a_kind(units_)),
      local_(scratchpad_, context.machine.accumulator.capacity_bytes),
      fetch_("fetch", context.machine, context.storage, hub_, turn_of(UnitKind::decode)),
      decode_("decode", context.machine, hub_, local_, context.semaphores, turn_of(UnitKind::decode)),
      dispatch_("dispatch", hub_, turn_of(UnitKind::dispatch)),
      writeback_("writeback", context.machine, hub_, turn_of(UnitKind::writeback)) {
  make(loads_, UnitKind::load, "load");
  make(stores_, UnitKind::store, "store");
  make(matrices_, UnitKind::matrix, "matrix");
  make(vectors_, UnitKind::vector, "vector");
}

Turn Core::turn_of(UnitKind kind, std::uint32_t index) const {
  const auto place = std::find_if(units_.begin(), units_.end(),
                                  [&](const UnitPlace& u) { return u.kind == kind && u.index == index; });
  return static_cast<Turn>(first_turn_ + static_cast<std::uint32_t>(place - units_.begin()));
}

template <class Unit>
void Core::make(Shells<Unit>& shells, UnitKind kind, const char* name) {
  for (std::uint32_t i = 0; i < count_of(units_, kind); ++i) {
    const std::string module = name + std::to_string(i);
    shells.push_back(std::make_unique<ExecutionShell<Unit>>(
        module.c_str(), turn_of(kind, i),
        [this, i](ResultSink& results, HazardBoard& board, ClockLine clock) {
          return make_unit<Unit>(i, results, board, clock);
        }));
  }
}

template <class Unit>
std::unique_ptr<Unit> Core::make_unit(std::uint32_t index, ResultSink& results, HazardBoard& board,
                                      ClockLine clock) {
  const CoreContext& c = context_;
  if constexpr (std::is_base_of_v<DmaEngine, Unit>) {
    return std::make_unique<Unit>(
        DmaContext{c.machine, hub_, local_, c.storage, results, board, clock, c.values}, index);
  } else {
    return std::make_unique<Unit>(c.machine, hub_, local_, results, board, clock, c.values, index);
  }
}

template <class Call>
void Core::for_each_unit(const Call& call) {
  for (const auto& unit : loads_) call(*unit);
  for (const auto& unit : stores_) call(*unit);
  for (const auto& unit : matrices_) call(*unit);
  for (const auto& unit : vectors_) call(*unit);
}

Connection<Clocked>& Core::clocked(const UnitPlace& unit) {
  switch (unit.kind) {
    case UnitKind::writeback:
      return writeback_;
    case UnitKind::load:
      return *loads_[unit.index];
    case UnitKind::store:
      return *stores_[unit.index];
    case UnitKind::matrix:
      return *matrices_[unit.index];
    case UnitKind::vector:
      return *vectors_[unit.index];
    case UnitKind::dispatch:
      return dispatch_;
    case UnitKind::decode:
      break;
  }
  return decode_;
}

void Core::bind(ClockShell& clock) {
  clock_ = &clock;
  for (const UnitPlace& unit : units_) clock.out_units(clocked(unit));

  // Instructions go down: fetch, decode, dispatch, units.
  decode_.in_words(fetch_);
  decode_.out_dispatch(dispatch_);
  for (const auto& unit : loads_) dispatch_.out_load(*unit);
  for (const auto& unit : stores_) dispatch_.out_store(*unit);
  for (const auto& unit : matrices_) dispatch_.out_matrix(*unit);
  for (const auto& unit : vectors_) dispatch_.out_vector(*unit);

  // Results come back: units, writeback, scoreboard.
  for_each_unit([this](auto& unit) {
    unit.out_results(writeback_);
    unit.out_hazards(decode_);
  });
  writeback_.out_hazards(decode_);

  // Units ask the clock for their edges.
  fetch_.in_clock(clock);
  decode_.in_clock(*this);
  dispatch_.in_clock(clock);
  for_each_unit([&clock](auto& unit) { unit.in_clock(clock); });
  writeback_.in_clock(clock);
}

void Core::attach(memory::Requester kind, std::vector<memory::Attachment>& sources) {
  const auto add = [&](memory::BurstSource& unit, std::size_t index) {
    const auto n = static_cast<std::uint32_t>(index);
    sources.push_back({&unit, kind == memory::Requester::fetch ? kind : nth(kind, n), context_.number});
  };
  if (kind == memory::Requester::fetch) add(fetch_.core(), 0);
  if (kind == memory::Requester::store) {
    for (std::size_t i = 0; i < stores_.size(); ++i) add(stores_[i]->core(), i);
  }
  if (kind == memory::Requester::load) {
    for (std::size_t i = 0; i < loads_.size(); ++i) add(loads_[i]->core(), i);
  }
}

void Core::set_choices(Choices* choices) {
  for (const auto& unit : vectors_) unit->core().set_choices(choices);
}

void Core::set_fast_forward() {
  if (!FastForward::serves(context_.machine)) return;
  const FastForward::Parts parts{
      fetch_.core(), decode_.core(), dispatch_.core(), matrices_.front()->core(), writeback_.core(),
      scratchpad_,   hub_,           *clock_};
  std::vector<std::size_t> turns;
  for (const UnitKind kind : {UnitKind::writeback, UnitKind::matrix, UnitKind::dispatch, UnitKind::decode})
    turns.push_back(static_cast<std::size_t>(turn_of(kind)));
  fast_forward_.emplace(context_.machine, parts, turns);
  clock_->set_watcher(&*fast_forward_);
}

void Core::start(Cycle now, DramAddress base, std::uint32_t words) {
  if (fast_forward_) fast_forward_->start(words);
  writeback_.core().start(now);
  for_each_unit([now](auto& unit) { unit.core().start(now); });
  dispatch_.core().start(now);
  fetch_.core().start(now, base, words);
  decode_.core().start(now);
}

// Decode's and fetch's states say it already.
void Core::stop() {
  halted_at_ = clock_->now();
  writeback_.core().stop(halted_at_);
  for_each_unit([this](auto& unit) { unit.core().stop(halted_at_); });
  dispatch_.core().stop(halted_at_);
  clock_->stop();
}

CoreParts Core::parts() {
  CoreParts parts{context_.machine,  fetch_.core(),  decode_.core(), dispatch_.core(), {}, {}, {}, {},
                  writeback_.core(), context_.number};
  for (const auto& unit : loads_) parts.loads.push_back(&unit->core());
  for (const auto& unit : stores_) parts.stores.push_back(&unit->core());
  for (const auto& unit : matrices_) parts.matrices.push_back(&unit->core());
  for (const auto& unit : vectors_) parts.vectors.push_back(&unit->core());
  return parts;
}

std::uint64_t Core::decoded() const {
  std::uint64_t sum = 0;
  for (const auto& unit : matrices_) sum += unit->core().decoded();
  return sum;
}

std::uint64_t Core::multiplications() const {
  std::uint64_t sum = 0;
  for (const auto& unit : matrices_) sum += unit->core().multiplications();
  return sum;
}

std::uint64_t Core::vector_elements() const {
  std::uint64_t sum = 0;
  for (const auto& unit : vectors_) sum += unit->core().elements();
  return sum;
}

template <class Archive>
void Core::serialize(Archive& state) {
  state(local_, fetch_.core(), decode_.core(), dispatch_.core());
  for_each_unit([&state](auto& unit) { state(unit.core()); });
  state(writeback_.core());
}
template void Core::serialize(StateWriter&);
template void Core::serialize(StateReader&);

}  // namespace tokencycle::machine
