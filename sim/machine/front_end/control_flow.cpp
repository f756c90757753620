// SPDX-License-Identifier: Apache-2.0
#include "machine/front_end/control_flow.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace tokencycle::machine {

using isa::Opcode;

std::array<std::int64_t, isa::kOperands> ControlFlow::resolve(isa::Instruction& instruction) const {
  std::array<std::int64_t, isa::kOperands> added{};
  const auto local = [&](isa::Operand operand, isa::LocalAddress& address, std::uint8_t reg) {
    if (reg == 0) return;
    const std::int64_t byte = address.byte() + registers_[reg];
    if (!is_local(byte)) {
      trap(instruction, fmt::format("address register r{} leads to byte {}", reg, byte));
    }
    const auto offset = static_cast<std::uint32_t>(byte);
    address = address.in_accumulator() ? isa::LocalAddress::accumulator(offset)
                                       : isa::LocalAddress::scratchpad(offset);
    added[static_cast<std::size_t>(operand)] = registers_[reg];
  };
  local(isa::Operand::dst, instruction.dst, instruction.dst_reg);
  local(isa::Operand::a, instruction.a, instruction.a_reg);
  local(isa::Operand::b, instruction.b, instruction.b_reg);
  if (const std::uint8_t reg = instruction.dram_reg; reg != 0) {
    const std::int64_t byte = static_cast<std::int64_t>(instruction.dram.value) + registers_[reg];
    if (byte < 0) {
      trap(instruction, fmt::format("address register r{} leads to DRAM byte {}", reg, byte));
    }
    instruction.dram = DramAddress(static_cast<std::uint64_t>(byte));
    added[static_cast<std::size_t>(isa::Operand::dram)] = registers_[reg];
  }
  return added;
}

bool ControlFlow::can_enter(const isa::Instruction& loop) const {
  const bool times = loop.times == 0 || (registers_[loop.times] >= 0 && registers_[loop.times] <= loop.count);
  return depth_ < isa::kLoopDepth && times &&
         (depth_ == 0 || pc_ + 1 + loop.length <= loops_[depth_ - 1].end);
}

void ControlFlow::execute(const isa::Instruction& i) {
  if (i.op == Opcode::loop) {
    enter(i);
  } else if (i.op == Opcode::set_address) {
    registers_[i.reg] = i.value;
  } else if (i.op == Opcode::add_address) {
    registers_[i.reg] += i.value;
  }
}

void ControlFlow::enter(const isa::Instruction& i) {
  if (depth_ == isa::kLoopDepth) trap(i, fmt::format("more than {} nested loops", isa::kLoopDepth));
  Loop loop{pc_ + 1, pc_ + 1 + i.length, iterations(i), i.steps, {}};
  if (depth_ > 0 && loop.end > loops_[depth_ - 1].end) trap(i, "its body reaches beyond the loop around it");
  if (loop.remaining == 0) {
    skipped_ = i.length;
    return;
  }
  for (std::size_t s = 0; s < loop.steps.size(); ++s) loop.saved[s] = registers_[loop.steps[s].reg];
  loops_[depth_++] = loop;
}

std::uint32_t ControlFlow::iterations(const isa::Instruction& loop) const {
  if (loop.times == 0) return loop.count;
  const std::int64_t times = registers_[loop.times];
  if (times < 0 || times > loop.count) {
    trap(loop, fmt::format("address register r{} says {} iterations; allowed: 0 .. {} (count)", loop.times,
                           times, loop.count));
  }
  return static_cast<std::uint32_t>(times);
}

bool ControlFlow::next() {
  pc_ += 1 + skipped_;
  skipped_ = 0;
  while (depth_ > 0 && pc_ == loops_[depth_ - 1].end) {
    Loop& loop = loops_[depth_ - 1];
    if (--loop.remaining > 0) {
      for (const isa::LoopStep& s : loop.steps) {
        if (s.reg != 0) registers_[s.reg] += s.bytes;
      }
      pc_ = loop.start;
      return true;
    }
    for (std::size_t s = 0; s < loop.steps.size(); ++s) {
      if (loop.steps[s].reg != 0) registers_[loop.steps[s].reg] = loop.saved[s];
    }
    --depth_;
  }
  return false;
}

std::uint32_t ControlFlow::keep_from(std::uint32_t capacity) const {
  for (std::uint32_t d = 0; d < depth_; ++d) {
    if (loops_[d].end - loops_[d].start <= capacity) return std::min(loops_[d].start, pc_);
  }
  return pc_;
}

bool ControlFlow::operator==(const ControlFlow& other) const {
  return pc_ == other.pc_ && depth_ == other.depth_ && registers_ == other.registers_ &&
         std::equal(loops_.begin(), loops_.begin() + depth_, other.loops_.begin());
}

void ControlFlow::trap(const isa::Instruction& instruction, const std::string& what) const {
  throw SimulationError(
      fmt::format("the machine stopped at word {}: {}: {}", pc_, isa::name_of(instruction.op), what));
}

}  // namespace tokencycle::machine
