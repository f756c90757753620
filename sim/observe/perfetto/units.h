// SPDX-License-Identifier: Apache-2.0
// Level 2 of a Perfetto trace: what each unit does, its instructions, and arrows from loads to those who
// waited.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "observe/analysis/load_flows.h"
#include "observe/perfetto/track.h"
#include "observe/trace.h"
#include "observe/unit_list.h"

namespace tokencycle::observe {

// A track a unit and DRAM channel with its states (none while idle or halted), cut to the window. Below those
// of executing units their instructions from start to finish; as many lanes as are at work at once. An arrow
// leads from a load to the instruction that decode held until the load retired (read after write).
class PerfettoUnits {
 public:
  // The tracks become children `rank` and following of `root`.
  PerfettoUnits(PerfettoFile& file, PerfettoNames& names, std::uint32_t root, std::uint32_t rank,
                const UnitList& list);

  void begin_step(const TraceStep& step);
  // Of kinds instruction and unit_state, in order.
  void on_event(const Event& event, const WindowGate& gate);
  void on_retired(const InstructionRecord& record, const WindowGate& gate);
  // Writes the states of all units up to `now`; they continue.
  void settle(Cycle now, const WindowGate& gate);
  // Ends all states and instructions.
  void finish(Cycle now, const WindowGate& gate);

  // How many bytes finish() writes at most; one event writes less.
  std::uint64_t bound() const { return states_bound_ + in_flight_.size() * instruction_bound_; }

 private:
  struct UnitTrack {
    PerfettoTrack track;
    State state{};
    std::uint64_t waits_for = 0;  // decode: 1 + isa::Unit
    Cycle since;
  };
  struct Lane {
    std::optional<PerfettoTrack> track;  // from its first slice on
    bool used = false;
  };
  struct Running {
    std::uint64_t sequence = 0;
    std::uint32_t pc = 0;
    isa::Opcode op = isa::Opcode::nop;
    UnitId unit = UnitId::load;
    Cycle started, finished = kNever;
    std::size_t lane = kNoLane;  // from its start on
  };
  static constexpr std::size_t kNoLane = ~std::size_t{0};
  static constexpr std::size_t kFlows = 8;  // that end in one instruction; more are not drawn

  void on_state(const Event& event, const WindowGate& gate);
  void on_stage(const Event& event);
  static void write_state(UnitTrack& unit, Cycle now, const WindowGate& gate);
  // If it is in the window. What has not finished ends at `now`.
  void write_instruction(const Running& running, Cycle now, const WindowGate& gate);
  isa::Opcode opcode_at(std::uint32_t pc) const;
  std::size_t take_lane(UnitId unit);
  Running* find(std::uint64_t sequence);

  PerfettoFile& file_;
  PerfettoNames& names_;
  LoadFlows flows_;
  const UnitList list_;
  std::vector<UnitTrack> units_;              // in its order
  std::vector<std::vector<Lane>> lanes_;      // in its order
  std::vector<Running> in_flight_;            // dispatched and not retired
  const isa::Program* program_ = nullptr;     // of the step; looked at in events alone
  std::vector<PerfettoName> operator_names_;  // by operator of the program
  std::vector<std::uint32_t> operator_of_;    // by word: 1 + operator, 0: none
  std::uint64_t states_bound_ = 0, instruction_bound_ = 0;
};

}  // namespace tokencycle::observe
