// SPDX-License-Identifier: Apache-2.0
#include "observe/analysis/operator_cycles.h"

#include <algorithm>
#include <cmath>

namespace tokencycle::observe {

void OperatorWork::add(const InstructionRecord& record) {
  switch (record.unit) {
    case isa::Unit::load:
      loaded_bytes += record.work;
      break;
    case isa::Unit::store:
      stored_bytes += record.work;
      break;
    case isa::Unit::matrix:
      multiply_accumulates += record.work;
      products[static_cast<std::size_t>(record.type)] += record.work;
      sums += record.sums;
      break;
    case isa::Unit::vector:
      vector_elements += record.work;
      for (std::size_t i = 0; i < lane_elements.size(); ++i) lane_elements[i] += record.lane_elements[i];
      break;
    case isa::Unit::front_end:
      break;
  }
  cell_cycles += record.cell_cycles;
  scratchpad_bytes += record.scratchpad_bytes;
}

void OperatorWork::add(const OperatorWork& more) {
  loaded_bytes += more.loaded_bytes;
  stored_bytes += more.stored_bytes;
  multiply_accumulates += more.multiply_accumulates;
  cell_cycles += more.cell_cycles;
  vector_elements += more.vector_elements;
  scratchpad_bytes += more.scratchpad_bytes;
  for (std::size_t i = 0; i < products.size(); ++i) products[i] += more.products[i];
  sums += more.sums;
  for (std::size_t i = 0; i < lane_elements.size(); ++i) lane_elements[i] += more.lane_elements[i];
}

KindUse& OperatorUse::kind(isa::Opcode op) {
  auto at = std::lower_bound(kinds.begin(), kinds.end(), op,
                             [](const KindUse& use, isa::Opcode wanted) { return use.op < wanted; });
  if (at == kinds.end() || at->op != op) at = kinds.insert(at, KindUse{op, 0, 0, {}});
  return *at;
}

void OperatorUse::add(const OperatorUse& more) {
  cycles += more.cycles;
  instructions += more.instructions;
  add_to(stack, more.stack);
  span_cycles += more.span_cycles;
  work.add(more.work);
  for (const KindUse& other : more.kinds) {
    KindUse& own = kind(other.op);
    own.count += other.count;
    own.cycles += other.cycles;
    add_to(own.stack, other.stack);
  }
}

void OperatorCycles::begin(const isa::Program& program, Cycle start) {
  operator_of_.assign(program.words.size(), kNone);
  for (const isa::Section& s : program.sections) {
    std::fill_n(operator_of_.begin() + s.first, s.count, s.operator_id);
  }
  extents_.assign(program.operators.size(), {});
  uses_.assign(program.operators.size(), {});
  marks_ = {{-1, start, stack_at(start)}};
  shared_ = false;
}

void OperatorCycles::on_retired(const InstructionRecord& record) {
  shared_ = false;
  if (record.pc >= operator_of_.size() || operator_of_[record.pc] == kNone) return;
  const std::uint32_t id = operator_of_[record.pc];
  OperatorUse& use = uses_[id];
  ++use.instructions;
  use.work.add(record);
  Extent& extent = extents_[id];
  extent.first_start = std::min(extent.first_start, record.started);
  if (record.unit == isa::Unit::store) {
    extent.first_store_start = std::min(extent.first_store_start, record.started);
  }
  extent.last_retirement = record.written_back;

  for (; marks_.back().operator_id > id; marks_.pop_back()) {
    forget_share(uses_[static_cast<std::size_t>(marks_.back().operator_id)]);
  }
  KindUse& kind = use.kind(record.op);
  ++kind.count;
  share_.operator_id = id;
  share_.cycles = record.written_back.value - marks_.back().at.value;
  use.cycles += share_.cycles;
  kind.cycles += share_.cycles;
  if (causes_ != nullptr) {
    const Stack now = causes_->so_far(record.written_back);
    share_.stack = difference(now, marks_.back().stack);
    add_to(use.stack, share_.stack);
    add_to(kind.stack, share_.stack);
    mark(id, record.written_back).stack = now;
  } else {
    mark(id, record.written_back);
  }
  shared_ = true;
}

OperatorCycles::Mark& OperatorCycles::mark(std::uint32_t id, Cycle at) {
  if (marks_.back().operator_id != id) marks_.emplace_back();
  marks_.back().operator_id = id;
  marks_.back().at = at;
  return marks_.back();
}

std::uint64_t OperatorCycles::span_of(std::size_t id) const {
  const Extent& extent = extents_[id];
  if (extent.first_start == kNever) return 0;
  Cycle end = extent.last_retirement;
  if (extent.first_store_start != kNever && peak_ > 0) {
    const double cycles = static_cast<double>(uses_[id].work.stored_bytes) / peak_;
    end = std::max(end, extent.first_store_start + static_cast<std::uint64_t>(std::ceil(cycles)));
  }
  return end.value - extent.first_start.value;
}

void OperatorCycles::forget_share(OperatorUse& use) {
  use.cycles = 0;
  use.stack = {};
  for (KindUse& kind : use.kinds) {
    kind.cycles = 0;
    kind.stack = {};
  }
}

std::vector<OperatorUse> OperatorCycles::take(Cycle end) {
  for (std::size_t id = 0; id < uses_.size(); ++id) uses_[id].span_cycles = span_of(id);
  rest_ = {};
  if (!uses_.empty()) {
    const Mark& last = marks_.back();
    rest_ = {static_cast<std::uint32_t>(uses_.size() - 1), end.value - last.at.value,
             difference(stack_at(end), last.stack)};
    OperatorUse use;
    use.cycles = rest_.cycles;
    use.stack = rest_.stack;
    use.kinds = {{isa::Opcode::halt, 0, rest_.cycles, rest_.stack}};
    uses_.back().add(use);
  }
  marks_.resize(1);
  return std::move(uses_);
}

}  // namespace tokencycle::observe
