// SPDX-License-Identifier: Apache-2.0
// The matrix unit alone, with operands as fast as it can take them: what the array's formulas speak of.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/machine.h"
#include "machine/local_memory.h"
#include "machine/matrix/matrix.h"
#include "observe/event.h"

namespace tokencycle::host {

// Sizes of the memories in bytes: moving rows (of matmul: operand a), tiles (operand b), sums.
struct ArrayMemory {
  std::uint32_t moving = 0, stationary = 0, sums = 0;
};

// Instructions start as soon as the array lets them: there is no fetch, decode or writeback, a line of an
// operand is read in one cycle, arrives in the same cycle and never meets a bank conflict.
class ArrayAlone : private machine::ResultSink, private machine::HazardBoard, private machine::ClockControl {
 public:
  // Contents are computed when `memory` is given; else time alone.
  ArrayAlone(const config::Machine& machine, const std::optional<ArrayMemory>& memory);

  // Where the operands begin, as the instructions address them.
  static isa::LocalAddress moving() { return isa::LocalAddress::scratchpad(0); }
  isa::LocalAddress stationary() const { return isa::LocalAddress::scratchpad(half_); }
  std::span<std::byte> moving_bytes() { return local_.at(moving(), memory_.moving); }
  std::span<std::byte> stationary_bytes() { return local_.at(stationary(), memory_.stationary); }
  std::span<const std::byte> sums() { return local_.at(isa::LocalAddress::accumulator(0), memory_.sums); }
  machine::Matrix& matrix() { return matrix_; }

  // Start and end of one instruction, in cycles since the first start.
  struct Times {
    std::uint64_t started = 0, finished = 0;
  };
  using Source = std::function<bool(isa::Instruction&)>;  // the next instruction; false: no more
  using Finished = std::function<void(const isa::Instruction&, Times)>;
  // Runs them in order; returns the cycles from the first start to the last end. Throws SimulationError
  // for what the array cannot do.
  std::uint64_t run(const Source& next, const Finished& finished = {});

 private:
  static config::Machine ideal(const config::Machine& machine, const ArrayMemory& memory);
  void top_up(Cycle now, const Source& next);
  void finished(Cycle now, machine::InFlight& entry) override;
  void left_queue(Cycle, machine::InFlight&) override { --waiting_; }
  void retired(Cycle, machine::InFlight&) override {}
  void wake(machine::Turn, Cycle) override {}
  void stop() override {}

  ArrayMemory memory_;
  config::Machine machine_;
  std::uint32_t half_;
  observe::EventHub hub_;
  memory::Scratchpad scratchpad_;
  machine::LocalMemory local_;
  machine::Matrix matrix_;

  std::deque<machine::InFlight> entries_;  // in order; the first may be finished only in order
  std::size_t waiting_ = 0;                // not started yet
  bool more_ = false;
  Cycle start_, end_;
  const Finished* report_ = nullptr;
};

}  // namespace tokencycle::host
