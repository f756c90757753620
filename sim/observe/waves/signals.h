// SPDX-License-Identifier: Apache-2.0
// The machine as signals over time: what the wave formats show, whatever their syntax.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/machine.h"
#include "observe/trace.h"
#include "observe/waves/dram.h"
#include "observe/waves/values.h"

namespace tokencycle::observe {

// Follows the events; at the end of a cycle take_changes() gives the signals that differ from what it gave
// last.
//
// step.token, step.phase; every unit's state; fetch.arrived (the word after those that arrived last);
// decode.pc, decode.operator, decode.waits_for (of the held instruction), decode.in_flight (dispatched and
// not written back); queued (dispatched and not started) and running (started and not finished) of each
// executing unit; writeback.waiting (finished and not written back); bursts in flight of each requester and
// each channel; moved_bytes of each channel (whole bursts done since the beginning, modulo 2^48); commands,
// queues and banks as WaveDram has them, where DRAM has commands; trace.mark.
class WaveSignals {
 public:
  explicit WaveSignals(const config::Machine& machine);
  WaveSignals(const WaveSignals&) = delete;
  WaveSignals& operator=(const WaveSignals&) = delete;

  const std::vector<WaveSignal>& signals() const { return values_.signals(); }
  // Observer::interests()
  std::uint32_t interests() const;

  void begin_step(const TraceStep& step);
  void end_step() { program_ = nullptr; }
  void on_event(const Event& event);
  void set_mark(std::string_view text) { values_.set_text(mark_, text); }

  // The next cycle in which a signal changes without an event of that cycle, kNever if none does.
  Cycle next_change() const { return dram_ ? dram_->next() : kNever; }
  // Time has come to `cycle`; called before its events.
  void go_to(Cycle cycle) {
    if (dram_) dram_->apply(cycle);
  }

  // As WaveValues has them.
  void take_changes(std::vector<WaveChange>& changes) { values_.take_changes(changes); }
  void take_mark(std::vector<WaveChange>& changes) { values_.take(mark_, changes); }
  void take_all(std::vector<WaveChange>& changes) { values_.take_all(changes); }

 private:
  using Index = WaveValues::Index;
  void add_unit(UnitId unit);
  Index add_state(std::string_view scope, State initial);
  void change(Index signal, int by) { values_.change(signal, static_cast<std::uint64_t>(by)); }
  void on_instruction(const Event& event);
  void on_burst(const Event& event);

  struct Executing {
    Index queued = 0, running = 0;
  };
  struct Channel {
    Index state = 0, bursts = 0, moved_bytes = 0;
  };

  const WaveNames states_, units_;
  const std::uint64_t burst_bytes_;
  WaveValues values_;
  std::optional<WaveDram> dram_;

  const isa::Program* program_ = nullptr;
  Index token_, phase_, arrived_ = 0, pc_ = 0, operator_ = 0, waits_for_ = 0, in_flight_ = 0, waiting_ = 0,
                        mark_ = 0;
  std::array<Index, 256> state_{};  // by UnitId
  std::array<Executing, 256> executing_{};
  std::array<Index, 1 + 2 * config::kMostUnits> requester_bursts_{};  // as burst events number requesters
  std::vector<Channel> channels_;
};

}  // namespace tokencycle::observe
