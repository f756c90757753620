// SPDX-License-Identifier: Apache-2.0
#include "observe/wave_signals.h"

#include <algorithm>
#include <bit>

#include "observe/program_words.h"

namespace tokencycle::observe {

namespace {

constexpr std::uint32_t kTextBits = 0;
constexpr std::uint32_t kWordBits = 32;
constexpr std::uint32_t kCountBits = 16;
constexpr std::uint32_t kByteBits = 48;
// The requesters in the order in which burst events number them.
constexpr std::array kRequesters = {UnitId::fetch, UnitId::store, UnitId::load};

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

std::uint32_t bits_of(const WaveNames& names) {
  return static_cast<std::uint32_t>(std::bit_width(names.values.size() - 1));
}

constexpr std::size_t index_of(UnitId unit) {
  return static_cast<std::size_t>(unit);
}

}  // namespace

WaveSignals::WaveSignals(const config::Machine& machine)
    : states_(state_names()), units_(unit_names()), burst_bytes_(machine.dram.burst_bytes) {
  token_ = add("step", "token", kWordBits);
  phase_ = add("step", "phase", kTextBits);
  for (const UnitId unit : {UnitId::fetch, UnitId::decode, UnitId::dispatch, UnitId::load, UnitId::store,
                            UnitId::matrix, UnitId::vector, UnitId::writeback}) {
    const std::string scope = name_of(unit);
    state_[index_of(unit)] = add_state(scope, State::halted);
    if (unit == UnitId::decode) {
      pc_ = add(scope, "pc", kWordBits);
      operator_ = add(scope, "operator", kTextBits);
      waits_for_ = add(scope, "waits_for", bits_of(units_), &units_);
    } else if (unit == UnitId::writeback) {
      waiting_ = add(scope, "waiting", kCountBits);
    } else if (unit != UnitId::fetch && unit != UnitId::dispatch) {
      executing_[index_of(unit)] = {add(scope, "queued", kCountBits), add(scope, "running", kCountBits)};
    }
    const auto requester = std::find(kRequesters.begin(), kRequesters.end(), unit);
    if (requester != kRequesters.end()) {
      requester_bursts_[static_cast<std::size_t>(requester - kRequesters.begin())] =
          add(scope, "bursts", kCountBits);
    }
  }
  for (std::uint32_t i = 0; i < machine.dram.channels; ++i) {
    const std::string scope = name_of(channel_id(i));
    channels_.push_back({add_state(scope, State::idle), add(scope, "bursts", kCountBits),
                         add(scope, "moved_bytes", kByteBits)});
  }
  mark_ = add("trace", "mark", kTextBits);
}

WaveSignals::Index WaveSignals::add(std::string_view scope, std::string_view name, std::uint32_t bits,
                                    const WaveNames* names, std::uint64_t initial) {
  signals_.push_back({std::string(scope), std::string(name), bits, names});
  values_.push_back(bits == kTextBits ? intern("none") : initial);
  given_.push_back(values_.back());
  touched_.push_back(false);
  return static_cast<Index>(signals_.size() - 1);
}

WaveSignals::Index WaveSignals::add_state(std::string_view scope, State initial) {
  return add(scope, "state", bits_of(states_), &states_, static_cast<std::uint64_t>(initial));
}

std::uint64_t WaveSignals::intern(std::string_view text) {
  const auto found = text_numbers_.find(text);
  if (found != text_numbers_.end()) return found->second;
  texts_.emplace_back(text);
  return text_numbers_.emplace(text, texts_.size() - 1).first->second;
}

void WaveSignals::begin_step(const TraceStep& step) {
  program_ = step.program;
  set(token_, step.token);
  set(phase_, intern(step.phase));
}

void WaveSignals::on_event(const Event& event) {
  switch (event.kind) {
    case EventKind::instruction:
      on_instruction(event);
      break;
    case EventKind::unit_state: {
      const std::size_t unit = index_of(event.unit);
      if (unit >= kFirstChannel) {
        if (unit - kFirstChannel < channels_.size()) set(channels_[unit - kFirstChannel].state, event.detail);
        break;
      }
      set(state_[unit], event.detail);
      if (event.unit == UnitId::decode) set(waits_for_, event.value);
      break;
    }
    case EventKind::burst_issued:
    case EventKind::burst_done:
      on_burst(event);
      break;
    case EventKind::words_arrived:
      break;
  }
}

void WaveSignals::on_instruction(const Event& event) {
  const Executing& unit = executing_[index_of(event.unit)];
  switch (static_cast<Stage>(event.detail)) {
    case Stage::decoded: {
      const std::string_view name = operator_name(program_, event.pc);
      set(pc_, event.pc);
      set(operator_, intern(name.empty() ? "none" : name));
      break;
    }
    case Stage::dispatched:
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
      if (event.unit != UnitId::decode) change(waiting_, -1);
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
  if (issued) return;
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kByteBits) - 1;
  set(channels_[i].moved_bytes, (values_[channels_[i].moved_bytes] + burst_bytes_) & kMask);
}

WaveChange WaveSignals::change_of(Index signal) {
  const std::uint64_t value = given_[signal] = values_[signal];
  const WaveSignal& s = signals_[signal];
  if (s.bits == kTextBits) return {signal, value, texts_[value]};
  if (s.names == nullptr) return {signal, value, {}};
  return {signal, value, s.names->values[value]};
}

void WaveSignals::take_changes(std::vector<WaveChange>& changes) {
  changes.clear();
  std::sort(touched_list_.begin(), touched_list_.end());
  for (const Index signal : touched_list_) {
    touched_[signal] = false;
    if (values_[signal] != given_[signal]) changes.push_back(change_of(signal));
  }
  touched_list_.clear();
}

void WaveSignals::take_mark(std::vector<WaveChange>& changes) {
  changes.clear();
  if (values_[mark_] != given_[mark_]) changes.push_back(change_of(mark_));
}

void WaveSignals::take_all(std::vector<WaveChange>& changes) {
  changes.clear();
  for (const Index signal : touched_list_) touched_[signal] = false;
  touched_list_.clear();
  for (Index i = 0; i < signals_.size(); ++i) changes.push_back(change_of(i));
}

}  // namespace tokencycle::observe
