// SPDX-License-Identifier: Apache-2.0
// The machine as signals over time: what the wave formats show, whatever their syntax.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/machine.h"
#include "observe/trace.h"

namespace tokencycle::observe {

// Names of the values 0, 1, ... of a signal.
struct WaveNames {
  std::string_view name;  // of the table
  std::vector<std::string> values;
};

struct WaveSignal {
  std::string scope;  // "dma0.read"; signals of one scope follow each other, also of its part before a dot
  std::string name;
  std::uint32_t bits = 0;            // 0: text
  const WaveNames* names = nullptr;  // of the values; null for numbers and text
};

// A signal's new value. `text` is the value's name or the text, and empty for numbers.
struct WaveChange {
  std::uint32_t signal = 0;
  std::uint64_t value = 0;
  std::string_view text;
};

// Follows the events; at the end of a cycle take_changes() gives the signals that differ from what it gave
// last.
//
// step.token, step.phase; every unit's state; decode.pc, decode.operator, decode.waits_for (of the held
// instruction); queued (dispatched and not started) and running (started and not finished) of each executing
// unit; writeback.waiting (finished and not written back); bursts in flight of each requester and each
// channel; moved_bytes of each channel (whole bursts done since the beginning, modulo 2^48); trace.mark.
// Banks and commands of DRAM report no events, so they have no signals.
class WaveSignals {
 public:
  static constexpr std::uint32_t kInterests =
      kinds({EventKind::instruction, EventKind::unit_state, EventKind::burst_issued, EventKind::burst_done});

  explicit WaveSignals(const config::Machine& machine);
  WaveSignals(const WaveSignals&) = delete;
  WaveSignals& operator=(const WaveSignals&) = delete;

  const std::vector<WaveSignal>& signals() const { return signals_; }

  void begin_step(const TraceStep& step);
  void end_step() { program_ = nullptr; }
  void on_event(const Event& event);
  void set_mark(std::string_view text) { set(mark_, intern(text)); }

  // Replaces `changes` by what has changed since the last call of either, in the order of signals.
  void take_changes(std::vector<WaveChange>& changes);
  // The same for the mark alone.
  void take_mark(std::vector<WaveChange>& changes);
  // Replaces it by the values of all signals.
  void take_all(std::vector<WaveChange>& changes);

 private:
  using Index = std::uint32_t;
  Index add(std::string_view scope, std::string_view name, std::uint32_t bits,
            const WaveNames* names = nullptr, std::uint64_t initial = 0);
  Index add_state(std::string_view scope, State initial);
  void set(Index signal, std::uint64_t value) {
    values_[signal] = value;
    if (!touched_[signal]) {
      touched_[signal] = true;
      touched_list_.push_back(signal);
    }
  }
  void change(Index signal, int by) { set(signal, values_[signal] + static_cast<std::uint64_t>(by)); }
  WaveChange change_of(Index signal);
  std::uint64_t intern(std::string_view text);
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
  std::vector<WaveSignal> signals_;
  std::vector<std::uint64_t> values_, given_;
  std::vector<bool> touched_;
  std::vector<Index> touched_list_;
  // Texts are numbered; the names of operators and phases are few, so all are kept.
  std::vector<std::string> texts_;
  std::map<std::string, std::uint64_t, std::less<>> text_numbers_;

  const isa::Program* program_ = nullptr;
  Index token_, phase_, pc_, operator_, waits_for_, waiting_, mark_;
  std::array<Index, kFirstChannel> state_{};
  std::array<Executing, kFirstChannel> executing_{};
  std::array<Index, 3> requester_bursts_{};  // by requester, as burst events number them
  std::vector<Channel> channels_;
};

}  // namespace tokencycle::observe
