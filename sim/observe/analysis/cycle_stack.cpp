// SPDX-License-Identifier: Apache-2.0
#include "observe/analysis/cycle_stack.h"

#include <algorithm>
#include <utility>

namespace tokencycle::observe {

std::string_view name_of(Cause cause) {
  static constexpr std::array<std::string_view, kCauses> kNames = {
      "matrix",         "vector",          "preload",        "format_decode",
      "scratchpad",     "dma_bandwidth",   "dram_bandwidth", "dram_row_conflict",
      "dram_bank_busy", "dram_turnaround", "dram_refresh",   "dram_latency",
      "front_end",      "drain",           "writeback",      "dependency"};
  return kNames[static_cast<std::size_t>(cause)];
}

void CycleStack::on_event(const Event& event) {
  settle(event.cycle);
  const auto unit = static_cast<std::size_t>(event.unit);
  if (is_channel(event.unit)) {
    const std::size_t channel = unit - kFirstChannel;
    for (; channels_.size() <= channel; channels_.push_back(State::idle)) ++channels_by_state_[0];
    --channels_by_state_[static_cast<std::size_t>(channels_[channel])];
    channels_[channel] = static_cast<State>(event.detail);
    ++channels_by_state_[event.detail];
    return;
  }
  if (unit >= kFirstChannel) {
    const std::size_t further = unit - kFirstChannel - kMostChannels;
    if (further_.size() <= further) further_.resize(further + 1, State::halted);
    further_[further] = static_cast<State>(event.detail);
    return;
  }
  states_[unit] = static_cast<State>(event.detail);
  if (event.unit == UnitId::decode) waits_for_ = event.value;
}

Stack CycleStack::take(Cycle end) {
  settle(end);
  return difference(stack_, std::exchange(taken_, stack_));
}

Stack CycleStack::so_far(Cycle now) const {
  Stack stack = stack_;
  stack[static_cast<std::size_t>(cause())] += now.value - since_.value;
  return stack;
}

std::optional<Cause> largest(const Stack& stack) {
  const auto most = std::max_element(stack.begin(), stack.end());
  if (*most == 0) return std::nullopt;
  return static_cast<Cause>(most - stack.begin());
}

void CycleStack::settle(Cycle now) {
  if (now == since_) return;
  stack_[static_cast<std::size_t>(cause())] += now.value - since_.value;
  since_ = now;
}

// Whether a unit of the kind is in the state.
bool CycleStack::any(UnitId kind, State state) const {
  const auto first = static_cast<std::size_t>(kind);
  if (states_[first] == state) return true;
  for (std::size_t i = first; i < further_.size(); i += kFirstChannel) {
    if (further_[i] == state) return true;
  }
  return false;
}

Cause CycleStack::cause() const {
  if (any(UnitId::matrix, State::busy)) return Cause::matrix;
  if (any(UnitId::vector, State::busy)) return Cause::vector;
  if (any(UnitId::matrix, State::operand_wait)) return Cause::preload;
  if (any(UnitId::matrix, State::format_decode)) return Cause::format_decode;
  if (any(UnitId::matrix, State::scratchpad_conflict) || any(UnitId::vector, State::scratchpad_conflict)) {
    return Cause::scratchpad;
  }
  return waiting_cause();
}

Cause CycleStack::memory_cause() const {
  static constexpr std::array kCauseOf = {Cause::dram_bandwidth,    Cause::dram_refresh,
                                          Cause::dram_row_conflict, Cause::dram_turnaround,
                                          Cause::dram_bank_busy,    Cause::dram_bandwidth};
  for (std::size_t i = 0; i < kCauseOf.size(); ++i) {
    if (channels_by_state_[static_cast<std::size_t>(kDataStates[i])] != 0) return kCauseOf[i];
  }
  return Cause::dram_latency;
}

Cause CycleStack::waiting_cause() const {
  const auto state = [&](UnitId u) { return states_[static_cast<std::size_t>(u)]; };
  const State decode = state(UnitId::decode);
  for (const isa::Unit unit : {isa::Unit::load, isa::Unit::store}) {
    if (waits_for_ != 1 + static_cast<std::uint64_t>(unit)) continue;
    return any(unit_id(unit), State::port_wait) ? Cause::dma_bandwidth : memory_cause();
  }
  if (decode == State::fetch_wait || decode == State::busy || decode == State::word_wait)
    return Cause::front_end;
  if (decode == State::halted || any(UnitId::matrix, State::array_drain)) return Cause::drain;
  if (state(UnitId::writeback) == State::writeback_wait) return Cause::writeback;
  return Cause::dependency;
}

}  // namespace tokencycle::observe
