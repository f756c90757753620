// SPDX-License-Identifier: Apache-2.0
#include "machine/fast_forward/walk.h"

#include <cstring>

#include "base/error.h"

namespace tokencycle::machine {

using isa::Opcode;

namespace {

// The address at which its memory begins.
isa::LocalAddress base(isa::LocalAddress a) {
  return a.in_accumulator() ? isa::LocalAddress::accumulator(0) : isa::LocalAddress::scratchpad(0);
}

constexpr std::uint32_t kNotWalkable = 1;  // the number of words that end a walk

}  // namespace

Walk::Walk(const config::Machine& machine)
    : capacity_{machine.scratchpad.capacity_bytes, machine.accumulator.capacity_bytes, 0},
      around_mask_(machine.scratchpad.banks * machine.scratchpad.bank_bytes - 1),
      patterns_(kNotWalkable + 1) {}

bool Walk::start(std::uint32_t words) {
  words_.assign(words, {});
  last_sums_ = 0;
  if (patterns_.size() <= kMostPatterns) return true;
  patterns_.resize(kNotWalkable + 1);
  numbers_.clear();
  return false;
}

std::size_t Walk::WordHash::operator()(const isa::Word& word) const {
  std::array<std::uint64_t, isa::kWordBytes / 8> lanes{};
  std::memcpy(lanes.data(), word.data(), word.size());
  std::uint64_t hash = 0;
  for (const std::uint64_t lane : lanes) hash = (hash ^ lane) * 0x9e3779b97f4a7c15u ^ hash >> 32;
  return hash;
}

std::uint32_t Walk::pattern_of(const isa::Instruction& instruction) {
  isa::Instruction i = instruction;
  i.dst = base(i.dst);
  i.a = base(i.a);
  i.b = base(i.b);
  const auto [at, is_new] =
      numbers_.try_emplace(isa::encode(i), static_cast<std::uint32_t>(patterns_.size()));
  if (is_new) {
    const bool flow = isa::unit_of(i.op) == isa::Unit::front_end;
    patterns_.push_back({i, isa::footprint(i), true, flow, !flow && i.op != Opcode::preload});
  }
  return at->second;
}

std::uint32_t Walk::number_of(std::uint32_t pc, const isa::Instruction& instruction) {
  Word& known = words_[pc];
  if (known.number > kNotWalkable) return known.number;
  return pattern_of(instruction);
}

const Walk::Pattern& Walk::learn(std::uint32_t pc, const isa::Word& word) {
  Word& known = words_[pc];
  if (known.number != 0) return patterns_[known.number];
  known.number = kNotWalkable;
  const Opcode op = isa::opcode_of(word);
  const bool flow =
      op == Opcode::nop || op == Opcode::loop || op == Opcode::set_address || op == Opcode::add_address;
  if (!flow && isa::unit_of(op) != isa::Unit::matrix) return patterns_[kNotWalkable];
  isa::Instruction i;
  try {
    i = isa::decode(word);
  } catch (const ProgramError&) {
    return patterns_[kNotWalkable];  // decode says so when it gets there
  }
  known = {pattern_of(i), i.dst, i.a, i.b};
  return patterns_[known.number];
}

bool Walk::in_bounds(const isa::Footprint& footprint, const WalkStep& step) const {
  const std::array<std::uint64_t, isa::kOperands> at{step.dst.byte(), step.a.byte(), step.b.byte(), 0};
  const auto inside = [&](const isa::Range& r) {
    return r.end + at[static_cast<std::size_t>(r.operand)] <= capacity_[static_cast<std::size_t>(r.space)];
  };
  for (const isa::Range& r : footprint.read_ranges()) {
    if (!inside(r)) return false;
  }
  for (const isa::Range& r : footprint.write_ranges()) {
    if (!inside(r)) return false;
  }
  return true;
}

bool Walk::step(const ControlFlow& flow, const Pattern& pattern, WalkStep& step) {
  const isa::Instruction& i = pattern.instruction;
  if (pattern.flow) {
    signature_.push_back(static_cast<std::uint64_t>(i.op));
    return true;
  }
  const Word& word = words_[step.pc];
  const auto moved = [&](isa::LocalAddress address, std::uint8_t reg, isa::LocalAddress& to) {
    const std::int64_t byte = address.byte() + flow.reg(reg);
    to = base(address) + static_cast<std::uint32_t>(byte);
    return ControlFlow::is_local(byte);
  };
  if (!moved(word.dst, i.dst_reg, step.dst) || !moved(word.a, i.a_reg, step.a) ||
      !moved(word.b, i.b_reg, step.b) || !in_bounds(pattern.footprint, step)) {
    return false;
  }
  signature_.push_back(std::uint64_t{word.number} << 32 | place_of(step.a));
  if (pattern.sums) {
    signature_.push_back(std::uint64_t{place_of(step.b)} << 32 |
                         static_cast<std::uint32_t>(step.dst.byte() - last_sums_));
    last_sums_ = step.dst.byte();
  }
  return true;
}

bool Walk::look_ahead(const ControlFlow& flow, const Fetch& fetch) {
  steps_.clear();
  signature_.clear();
  end_ = flow;
  std::uint32_t keep = end_.keep_from(fetch.capacity());
  for (bool again = false; !again;) {
    const std::uint32_t pc = end_.pc();
    if (steps_.size() == kMostSteps || pc >= words_.size()) return false;
    const Cycle fetched = fetch.arrived(pc, keep);
    if (fetched == kNever) return false;
    const Pattern& pattern = learn(pc, fetch.word(pc));
    if (!pattern.walkable) return false;
    WalkStep& s = steps_.emplace_back();
    s.pc = pc;
    s.fetched = fetched;
    if (!step(end_, pattern, s)) return false;
    if (pattern.flow) {
      if (pattern.instruction.op == Opcode::loop && !end_.can_enter(pattern.instruction)) return false;
      end_.execute(pattern.instruction);
    }
    again = end_.next();
    keep = end_.keep_from(fetch.capacity());
  }
  return fetch.arrived(end_.pc(), keep) != kNever;
}

void Walk::fill(const WalkStep& step, InFlight& entry) const {
  const Pattern& pattern = patterns_[words_[step.pc].number];
  entry.instruction = pattern.instruction;
  entry.instruction.dst = step.dst;
  entry.instruction.a = step.a;
  entry.instruction.b = step.b;
  entry.footprint = pattern.footprint;
  entry.footprint.move({step.dst.byte(), step.a.byte(), step.b.byte(), 0});
}

}  // namespace tokencycle::machine
