// SPDX-License-Identifier: Apache-2.0
#include "observe/analysis/load_flows.h"

#include "isa/encoding.h"

namespace tokencycle::observe {

using isa::Opcode;

void LoadFlows::begin_step(const isa::Program& program) {
  program_ = &program;
  next_ = 0;
  registers_.fill(0);
  loops_.clear();
  loads_.clear();
}

void LoadFlows::on_decoded(std::uint64_t sequence, std::uint32_t pc) {
  if (pc >= program_->words.size()) return;
  isa::Instruction instruction = isa::decode(program_->words[pc]);
  go_to(pc);
  if (isa::unit_of(instruction.op) == isa::Unit::front_end) return execute(instruction, pc);
  add_registers(instruction);
  const isa::Footprint footprint = isa::footprint(instruction);
  for (const isa::Range& r : footprint.read_ranges()) {
    for (Load& l : loads_) {
      if (l.reader == kNoReader && l.range.overlaps(r)) l.reader = sequence;
    }
  }
  for (const isa::Range& w : footprint.write_ranges()) {
    std::erase_if(loads_, [&](const Load& l) { return l.reader == kNoReader && l.range.overlaps(w); });
    if (isa::unit_of(instruction.op) == isa::Unit::load) loads_.push_back({sequence, w, kNoReader, false});
  }
}

// Through the ends of loops, as decode continues after a word.
void LoadFlows::go_to(std::uint32_t pc) {
  while (!loops_.empty() && next_ == loops_.back().end) {
    Loop& loop = loops_.back();
    const bool again = --loop.remaining > 0;
    for (std::size_t i = 0; i < loop.steps.size(); ++i) {
      const isa::LoopStep& s = loop.steps[i];
      if (s.reg != 0) registers_[s.reg] = again ? registers_[s.reg] + s.bytes : loop.saved[i];
    }
    if (again) break;
    loops_.pop_back();
  }
  next_ = pc + 1;
}

void LoadFlows::execute(const isa::Instruction& instruction, std::uint32_t pc) {
  switch (instruction.op) {
    case Opcode::loop: {
      const std::int64_t count = instruction.times == 0 ? instruction.count : registers_[instruction.times];
      if (count == 0) {
        next_ = pc + 1 + instruction.length;
        break;
      }
      Loop loop{
          pc + 1, pc + 1 + instruction.length, static_cast<std::uint32_t>(count), instruction.steps, {}};
      for (std::size_t i = 0; i < loop.steps.size(); ++i) loop.saved[i] = registers_[loop.steps[i].reg];
      loops_.push_back(loop);
      break;
    }
    case Opcode::set_address:
      registers_[instruction.reg] = instruction.value;
      break;
    case Opcode::add_address:
      registers_[instruction.reg] += instruction.value;
      break;
    default:
      break;
  }
}

void LoadFlows::on_word(std::uint32_t pc, std::uint32_t word) {
  if (pc >= program_->words.size() || isa::opcode_of(program_->words[pc]) != Opcode::read_address) return;
  const isa::Instruction i = isa::decode(program_->words[pc]);
  registers_[i.reg] = i.value + static_cast<std::int64_t>(word * i.word_stride);
}

void LoadFlows::add_registers(isa::Instruction& instruction) const {
  const auto add = [&](isa::LocalAddress& address, std::uint8_t reg) {
    address = address + static_cast<std::uint32_t>(registers_[reg]);  // decode has checked the sum
  };
  add(instruction.dst, instruction.dst_reg);
  add(instruction.a, instruction.a_reg);
  add(instruction.b, instruction.b_reg);
}

void LoadFlows::on_written(std::uint64_t load) {
  for (Load& l : loads_) {
    if (l.sequence == load) l.written = true;
  }
}

const std::vector<std::uint64_t>& LoadFlows::take(std::uint64_t reader) {
  taken_.clear();
  std::erase_if(loads_, [&](const Load& l) {
    if (l.reader == reader && l.written) taken_.push_back(flow_of(l.sequence));
    return l.reader == reader;
  });
  return taken_;
}

}  // namespace tokencycle::observe
