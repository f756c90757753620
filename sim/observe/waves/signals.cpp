// SPDX-License-Identifier: Apache-2.0
#include "observe/waves/signals.h"

#include <algorithm>
#include <optional>

#include "observe/program_words.h"
#include "observe/unit_list.h"

namespace tokencycle::observe {

namespace {

constexpr std::uint32_t kNumberBits = 32;
constexpr std::uint32_t kCountBits = 16;
constexpr std::uint32_t kByteBits = 48;
// The number that burst events have for a requester: fetch, then pairs of a store and a load engine.
std::optional<std::size_t> requester_number(UnitId unit) {
  if (unit == UnitId::fetch) return 0;
  const std::size_t pair = std::size_t{2} * index_of_kind(unit);
  if (kind_of(unit) == UnitId::store) return pair + 1;
  if (kind_of(unit) == UnitId::load) return pair + 2;
  return {};
}

WaveNames state_names() {
  WaveNames names{"state", {}};
  for (int s = 0; s < kStates; ++s) names.values.emplace_back(name_of(static_cast<State>(s)));
  return names;
}

// Of 1 + isa::Unit, 0: none.
WaveNames unit_names() {
  WaveNames names{"unit", {"none"}};
  for (int u = 0; u < isa::kUnits; ++u) names.values.push_back(name_of(unit_id(static_cast<isa::Unit>(u))));
  return names;
}

constexpr std::size_t index_of(UnitId unit) {
  return static_cast<std::size_t>(unit);
}

}  // namespace

WaveSignals::WaveSignals(const config::Machine& machine)
    : states_(state_names()), units_(unit_names()), burst_bytes_(machine.dram.burst_bytes) {
  if (machine.dram.system) dram_.emplace(*machine.dram.system, values_);
  token_ = values_.add("step", "token", kNumberBits);
  phase_ = values_.add_text("step", "phase");
  const UnitList units(machine);
  for (std::size_t i = 0; i < units.of_core(); ++i) add_unit(units[i]);
  for (std::uint32_t i = 0; i < machine.dram.channels; ++i) {
    const std::string scope = name_of(channel_id(i));
    channels_.push_back({add_state(scope, State::idle), values_.add(scope, "bursts", kCountBits),
                         values_.add(scope, "moved_bytes", kByteBits)});
    if (dram_) dram_->add_channel(scope);
  }
  mark_ = values_.add_text("trace", "mark");
}

void WaveSignals::add_unit(UnitId unit) {
  const std::string scope = name_of(unit);
  state_[index_of(unit)] = add_state(scope, State::halted);
  if (unit == UnitId::fetch) {
    arrived_ = values_.add(scope, "arrived", kNumberBits);
  } else if (unit == UnitId::decode) {
    pc_ = values_.add(scope, "pc", kNumberBits);
    operator_ = values_.add_text(scope, "operator");
    waits_for_ = values_.add(scope, "waits_for", units_.bits(), &units_);
    in_flight_ = values_.add(scope, "in_flight", kCountBits);
  } else if (unit == UnitId::writeback) {
    waiting_ = values_.add(scope, "waiting", kCountBits);
  } else if (unit != UnitId::dispatch) {
    executing_[index_of(unit)] = {values_.add(scope, "queued", kCountBits),
                                  values_.add(scope, "running", kCountBits)};
  }
  if (const auto requester = requester_number(unit)) {
    requester_bursts_[*requester] = values_.add(scope, "bursts", kCountBits);
  }
}

WaveSignals::Index WaveSignals::add_state(std::string_view scope, State initial) {
  return values_.add(scope, "state", states_.bits(), &states_, static_cast<std::uint64_t>(initial));
}

std::uint32_t WaveSignals::interests() const {
  return kinds({EventKind::instruction, EventKind::unit_state, EventKind::words_arrived,
                EventKind::burst_issued, EventKind::burst_done}) |
         (dram_ ? WaveDram::kInterests : 0);
}

void WaveSignals::begin_step(const TraceStep& step) {
  program_ = step.program;
  values_.set(token_, step.token);
  values_.set_text(phase_, step.phase);
}

void WaveSignals::on_event(const Event& event) {
  switch (event.kind) {
    case EventKind::instruction:
      return on_instruction(event);
    case EventKind::unit_state: {
      const std::size_t unit = index_of(event.unit);
      if (!is_channel(event.unit)) {
        values_.set(state_[unit], event.detail);
        if (event.unit == UnitId::decode) values_.set(waits_for_, event.value);
      } else if (unit - kFirstChannel < channels_.size()) {
        values_.set(channels_[unit - kFirstChannel].state, event.detail);
      }
      return;
    }
    case EventKind::words_arrived:
      return values_.set(arrived_, event.number + event.value);
    case EventKind::burst_issued:
    case EventKind::burst_done:
      return on_burst(event);
    case EventKind::dram_command:
    case EventKind::dram_queues:
      if (dram_) dram_->on_event(event);
      return;
  }
}

void WaveSignals::on_instruction(const Event& event) {
  const Executing& unit = executing_[index_of(event.unit)];
  switch (static_cast<Stage>(event.detail)) {
    case Stage::decoded: {
      const std::string_view name = operator_name(program_, event.pc);
      values_.set(pc_, event.pc);
      values_.set_text(operator_, name.empty() ? "none" : name);
      break;
    }
    case Stage::dispatched:
      change(in_flight_, +1);
      change(unit.queued, +1);
      break;
    case Stage::started:
      change(unit.queued, -1);
      change(unit.running, +1);
      break;
    case Stage::finished:
      change(unit.running, -1);
      change(waiting_, +1);
      break;
    case Stage::written_back:
      if (event.unit == UnitId::decode) break;
      change(waiting_, -1);
      change(in_flight_, -1);
      break;
  }
}

void WaveSignals::on_burst(const Event& event) {
  const bool issued = event.kind == EventKind::burst_issued;
  const std::size_t requester = event.detail / 2u;
  if (requester < requester_bursts_.size()) change(requester_bursts_[requester], issued ? +1 : -1);
  const std::size_t i = index_of(event.unit) - kFirstChannel;
  if (i >= channels_.size()) return;
  change(channels_[i].bursts, issued ? +1 : -1);
  if (!issued) values_.change(channels_[i].moved_bytes, burst_bytes_);
}

}  // namespace tokencycle::observe
