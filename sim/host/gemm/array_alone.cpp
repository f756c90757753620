// SPDX-License-Identifier: Apache-2.0
#include "host/gemm/array_alone.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace tokencycle::host {

namespace {
constexpr std::size_t kQueued = 16;                   // enough that the array never waits for instructions
constexpr std::uint32_t kWidestPort = 1u << 30;       // any line in one access
constexpr std::uint32_t kHalfOfAddresses = 1u << 30;  // operands apart, when there are no contents
}  // namespace

// Two banks, each with one operand: their ports never meet.
config::Machine ArrayAlone::ideal(const config::Machine& machine, const ArrayMemory& memory) {
  config::Machine m = machine;
  const std::uint32_t larger = std::max(memory.moving, memory.stationary);
  const std::uint32_t half = larger == 0 ? kHalfOfAddresses : std::bit_ceil(larger);
  m.scratchpad = {larger == 0 ? 0 : 2 * half, 2, half, 0, false};
  m.matrix.moving_port_bytes = m.matrix.stationary_port_bytes = kWidestPort;
  return m;
}

ArrayAlone::ArrayAlone(const config::Machine& machine, const std::optional<ArrayMemory>& memory)
    : memory_(memory.value_or(ArrayMemory{})),
      machine_(ideal(machine, memory_)),
      half_(machine_.scratchpad.bank_bytes),
      scratchpad_(machine_.scratchpad),
      local_(scratchpad_, memory_.sums),
      matrix_(machine_, hub_, local_, *this, *this, machine::ClockLine(*this, machine::Turn{}),
              memory ? machine::Values::computed : machine::Values::absent) {}

void ArrayAlone::top_up(Cycle now, const Source& next) {
  while (more_ && waiting_ < kQueued) {
    machine::InFlight entry;
    more_ = next(entry.instruction);
    if (!more_) break;
    entry.used = true;
    entry.footprint = isa::footprint(entry.instruction);
    entry.record.op = entry.instruction.op;
    entries_.push_back(entry);
    ++waiting_;
    matrix_.push(now, entries_.back());
  }
}

void ArrayAlone::finished(Cycle now, machine::InFlight& entry) {
  const std::uint64_t first = start_.value;
  if (*report_) (*report_)(entry.instruction, {entry.record.started.value - first, now.value - first});
  entry.used = false;
  end_ = now;
  // A preload may finish before the multiply in front of it.
  while (!entries_.empty() && !entries_.front().used) entries_.pop_front();
}

std::uint64_t ArrayAlone::run(const Source& next, const Finished& finished) {
  report_ = &finished;
  more_ = true;
  start_ = end_ = end_ + 1;
  for (Cycle now = start_; now != kNever;) {
    top_up(now, next);
    now = matrix_.edge(now);
  }
  if (!entries_.empty()) throw SimulationError("the array stands still with instructions in its queue");
  return (end_ - start_).value;
}

}  // namespace tokencycle::host
