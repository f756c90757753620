// SPDX-License-Identifier: Apache-2.0
#include "machine/fast_forward/walk.h"

#include <cstring>

#include "base/error.h"

namespace tokencycle::machine {

using isa::Opcode;

Walk::Walk(const config::Machine& machine)
    : capacity_{machine.scratchpad.capacity_bytes, machine.accumulator.capacity_bytes, 0},
      around_mask_(machine.scratchpad.banks * machine.scratchpad.bank_bytes - 1) {}

void Walk::start(std::uint32_t words) {
  bodies_.assign(words, {});
  numbers_.assign(words, 0);
  last_sums_ = 0;
}

std::size_t Walk::WordHash::operator()(const isa::Word& word) const {
  std::array<std::uint64_t, isa::kWordBytes / 8> lanes{};
  std::memcpy(lanes.data(), word.data(), word.size());
  std::uint64_t hash = 0;
  for (const std::uint64_t lane : lanes) hash = (hash ^ lane) * 0x9e3779b97f4a7c15u ^ hash >> 32;
  return hash;
}

std::uint32_t Walk::number_of(std::uint32_t pc, const isa::Instruction& instruction) {
  if (numbers_[pc] != 0) return numbers_[pc];
  const auto base = [](isa::LocalAddress a) {
    return a.in_accumulator() ? isa::LocalAddress::accumulator(0) : isa::LocalAddress::scratchpad(0);
  };
  isa::Instruction i = instruction;
  i.dst = base(i.dst);
  i.a = base(i.a);
  i.b = base(i.b);
  const auto next = static_cast<std::uint32_t>(number_of_word_.size() + 1);
  return numbers_[pc] = number_of_word_.try_emplace(isa::encode(i), next).first->second;
}

// Whether the word can be part of a walk.
bool Walk::learn(std::uint32_t pc, const isa::Word& word) {
  Body& body = bodies_[pc];
  if (body.known) return body.walkable;
  body.known = true;
  const Opcode op = isa::opcode_of(word);
  const bool flow =
      op == Opcode::nop || op == Opcode::loop || op == Opcode::set_address || op == Opcode::add_address;
  if (!flow && isa::unit_of(op) != isa::Unit::matrix) return false;
  try {
    body.instruction = isa::decode(word);
  } catch (const ProgramError&) {
    return false;  // decode says so when it gets there
  }
  body.footprint = isa::footprint(body.instruction);
  body.number = flow ? static_cast<std::uint32_t>(op) : number_of(pc, body.instruction);
  body.sums = op == Opcode::multiply || op == Opcode::matmul;
  return body.walkable = true;
}

bool Walk::in_bounds(const isa::Footprint& footprint,
                     const std::array<std::int64_t, isa::kOperands>& added) const {
  const auto inside = [&](const isa::Range& r) {
    return r.end + static_cast<std::uint64_t>(added[static_cast<std::size_t>(r.operand)]) <=
           capacity_[static_cast<std::size_t>(r.space)];
  };
  for (const isa::Range& r : footprint.read_ranges()) {
    if (!inside(r)) return false;
  }
  for (const isa::Range& r : footprint.write_ranges()) {
    if (!inside(r)) return false;
  }
  return true;
}

bool Walk::step(const ControlFlow& flow, const Body& body, WalkStep& step) {
  if (isa::unit_of(body.instruction.op) == isa::Unit::front_end) {
    signature_.push_back(body.number);
    return true;
  }
  const auto added = flow.offsets(body.instruction);
  if (!added || !in_bounds(body.footprint, *added)) return false;
  const auto moved = [&](isa::LocalAddress address, isa::Operand operand) {
    return address + static_cast<std::uint32_t>((*added)[static_cast<std::size_t>(operand)]);
  };
  step.dst = moved(body.instruction.dst, isa::Operand::dst);
  step.a = moved(body.instruction.a, isa::Operand::a);
  step.b = moved(body.instruction.b, isa::Operand::b);
  signature_.push_back(std::uint64_t{body.number} << 32 | place_of(step.a));
  if (body.sums) {
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
    if (steps_.size() == kMostSteps || pc >= bodies_.size()) return false;
    const Cycle fetched = fetch.arrived(pc, keep);
    if (fetched == kNever || !learn(pc, fetch.word(pc))) return false;
    const Body& body = bodies_[pc];
    WalkStep& s = steps_.emplace_back();
    s.pc = pc;
    s.fetched = fetched;
    if (!step(end_, body, s)) return false;
    if (body.instruction.op == Opcode::loop) {
      if (!end_.can_enter(body.instruction)) return false;
    }
    end_.execute(body.instruction);
    again = end_.next();
    keep = end_.keep_from(fetch.capacity());
  }
  return fetch.arrived(end_.pc(), keep) != kNever;
}

void Walk::fill(const WalkStep& step, InFlight& entry) const {
  const Body& body = bodies_[step.pc];
  entry.instruction = body.instruction;
  entry.footprint = body.footprint;
  const auto distance = [](isa::LocalAddress to, isa::LocalAddress from) {
    return std::int64_t{to.byte()} - std::int64_t{from.byte()};
  };
  entry.footprint.move({distance(step.dst, body.instruction.dst), distance(step.a, body.instruction.a),
                        distance(step.b, body.instruction.b), 0});
  entry.instruction.dst = step.dst;
  entry.instruction.a = step.a;
  entry.instruction.b = step.b;
}

}  // namespace tokencycle::machine
