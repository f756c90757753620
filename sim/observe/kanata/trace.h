// SPDX-License-Identifier: Apache-2.0
// The life of each instruction for the Konata viewer: stages, stalls, and what waited for what.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "observe/analysis/dependency_finder.h"
#include "observe/kanata/file.h"
#include "observe/trace.h"

namespace tokencycle::observe {

// One op an instruction that is decoded in the window, whole, also where it reaches beyond the window's ends.
//
// lane 0: F from fetched, D from decoded, Q from dispatched, X from started (Xl load, Xs store, Xm matrix, Xv
//   vector), W from finished, to written back. A front-end instruction has F and D, up to and including the
//   cycle in which it leaves decode. F begins neither before the F of the instruction before it nor before
//   the decoding of the one that is fetch.buffer_words earlier: a word that a loop executes again lies in the
//   buffer since its first fetch, and memory is bounded. The tooltip has all six cycles as they are.
// lane 1: what it waits for, with the names of State: in decode, and in its unit while it is the oldest one
//   that executes there. What memory waits for during a transfer changes every few cycles; signals show it.
// arrows: DependencyFinder's.
class KanataTrace : public TraceWriter {
 public:
  explicit KanataTrace(const TraceOptions& options);
  ~KanataTrace() override;

  std::uint32_t interests() const override { return DependencyFinder::kInterests; }
  void begin_step(const TraceStep& step) override;
  void end_step(Cycle end) override;
  void on_event(const Event& event) override;
  void on_retired(const InstructionRecord& record) override;
  void close(Cycle end, const std::string& cut) override;
  void discard() override {
    closed_ = true;
    file_.discard();
  }
  TraceSummary summary() const override;

  // Instructions and lines kept in memory; for tests.
  std::size_t kept() const { return ops_.size() + file_.pending() + recent_decodes_.size(); }

 private:
  using Stages = std::array<std::string_view, KanataFile::kLanes>;
  struct Op {
    std::uint64_t id = 0;
    Stages shown{}, wanted{};  // as the file has them, and as they are at the end of this cycle
    bool retired = false;
    InstructionRecord record;  // once retired
  };
  struct Executing {  // what a unit has begun and not finished, by sequence, and what it is doing
    std::vector<std::uint64_t> instructions;
    State state = State::idle;
  };

  void advance(Cycle next);
  void settle();
  void show(Op& op, std::uint64_t sequence);
  void retire(const Op& op);
  void decoded(const Event& event);
  void reached(const Event& event);
  void state_changed(const Event& event);
  void begin_op(const Event& event, Cycle first);
  void stall(std::uint64_t sequence, State state);
  void stall_oldest(const Executing& unit, bool stalled);
  Op* find(std::uint64_t sequence);
  std::string label(std::uint32_t pc) const;
  std::string tooltip(const InstructionRecord& record) const;

  const std::filesystem::path path_;
  const std::size_t look_back_;  // instructions
  KanataFile file_;
  WindowGate gate_;
  DependencyFinder dependencies_;
  const isa::Program* program_ = nullptr;

  Cycle now_;
  bool closed_ = false;
  std::map<std::uint64_t, Op> ops_;     // in flight, by sequence
  std::vector<std::uint64_t> touched_;  // in this cycle
  std::vector<Dependency> found_;       // in this cycle
  std::deque<Cycle> recent_decodes_;    // the last look_back_, oldest first
  Cycle last_first_;                    // where the last instruction's F began
  std::uint64_t next_id_ = 0, held_ = 0;
  bool holding_ = false;              // decode has instruction held_
  std::array<Executing, 256> units_;  // by UnitId
};

}  // namespace tokencycle::observe
