// SPDX-License-Identifier: Apache-2.0
#include "core/matrix.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "core/line_stream.h"

namespace tokencycle::core {

using isa::Opcode;
using observe::State;

namespace {

// What the port reads of an encoded row for elements [first, first + count): whole blocks, or of a single
// q8_0 block the elements and the scale.
struct RowPart {
  std::uint32_t begin, bytes;
};
RowPart row_part(Format format, std::uint32_t first, std::uint32_t count) {
  const std::uint32_t unit = block_elements(format);
  if (format == Format::q8_0 && first % kBlock + count <= kBlock) {
    return {first / kBlock * block_bytes(format) + first % kBlock, count + 2};
  }
  const std::uint32_t begin = first / unit * block_bytes(format);
  const std::uint32_t end = static_cast<std::uint32_t>(ceil_div(first + count, unit)) * block_bytes(format);
  return {begin, end - begin};
}

}  // namespace

Matrix::Matrix(const config::Machine& machine, observe::EventHub& hub, LocalMemory& local,
               ResultSink& results, HazardBoard& board, ClockControl& clock)
    : description_(machine.matrix),
      hub_(hub),
      state_(hub, observe::UnitId::matrix),
      local_(local),
      results_(results),
      board_(board),
      clock_(clock),
      dataflow_(make_dataflow(machine.matrix)),
      group_buffer_(machine.matrix.group_buffer_rows, machine.matrix.columns) {}

void Matrix::push(Cycle now, InFlight& entry) {
  queue_.push_back(&entry);
  clock_.wake(Turn::matrix, now + 1);
}

// (1) results that leave the array in this cycle, (2) at most one new instruction, (3) the state.
Cycle Matrix::edge(Cycle now) {
  finish_due(now);
  const bool started = start_head(now);
  update_state(now);
  return started && !queue_.empty() ? now + 1 : next_change(now);
}

void Matrix::finish_due(Cycle now) {
  if (preload_ != nullptr && preload_finish_ <= now) {
    results_.finished(now, *preload_);
    preload_ = nullptr;
  }
  while (!passes_.empty() && passes_.front().finish <= now) {
    Pass& pass = passes_.front();
    const isa::Instruction& i = pass.entry->instruction;
    const std::size_t bytes = std::size_t{i.rows - 1} * i.dst_stride + std::size_t{i.cols} * sizeof(float);
    fold_terms(i, pass.terms, local_.at(i.dst, bytes));
    results_.finished(now, *pass.entry);
    spare_terms_.push_back(std::move(pass.terms));
    passes_.pop_front();
  }
}

bool Matrix::start_head(Cycle now) {
  if (queue_.empty()) return false;
  InFlight& entry = *queue_.front();
  const bool preload = entry.instruction.op == Opcode::preload;
  if (!(preload ? start_preload(now, entry) : start_multiply(now, entry))) return false;
  queue_.pop_front();
  return true;
}

void Matrix::begin(Cycle now, InFlight& entry) {
  entry.record.started = now;
  hub_.emit_stage(now, entry.record, observe::UnitId::matrix, observe::Stage::started);
  board_.left_queue(now, entry);
}

bool Matrix::start_preload(Cycle now, InFlight& entry) {
  if (preload_ != nullptr) return false;
  if (!description_.double_buffered && !passes_.empty()) return false;
  const isa::Instruction& i = entry.instruction;
  if (i.rows > description_.rows || i.cols > description_.columns) {
    trap(entry, fmt::format("a tile of {} x {} does not fit the array of {} x {}", i.rows, i.cols,
                            description_.rows, description_.columns));
  }
  if (description_.cycles_per_row[static_cast<std::size_t>(multiply_type(i.a_format))] == 0) {
    trap(entry, fmt::format("the machine has no {} multipliers (matrix.cycles_per_row)",
                            name_of(multiply_type(i.a_format))));
  }
  begin(now, entry);
  const bool kn = i.order == isa::TileOrder::kn;
  const RowPart part = kn ? RowPart{0, static_cast<std::uint32_t>(row_bytes(i.a_format, i.cols))}
                          : row_part(i.a_format, i.k_offset, i.rows);
  const LineStream stream{i.a.byte() + part.begin, i.a_stride, kn ? i.rows : i.cols, part.bytes, 1};
  const StreamTiming timing = reserve_lines(local_.scratchpad(), memory::Port::stationary,
                                            description_.stationary_port_bytes, now, now, stream);
  const std::uint64_t latency = local_.scratchpad().read_latency();
  // The last line is in place one shift after its arrival, and no sooner than a shift through the whole
  // array.
  const Cycle through = now + (latency + dataflow_->shift_in_cycles(i.order));
  preload_finish_ = std::max(timing.last + (latency + 1), through);
  preload_nominal_ = std::max(Cycle(timing.last.value + latency + 1 - timing.delayed), through);
  const isa::Range read = entry.footprint.reads[0];
  shadow_.load(i, local_.at(i.a, read.end - i.a.byte()));
  preload_ = &entry;
  shadow_full_ = true;
  return true;
}

Cycle Matrix::earliest_multiply(const isa::Instruction& multiply) const {
  Cycle earliest = entry_end_;
  if (!multiply.open) {
    const bool integer = multiply.a_format == Format::q8_0;
    const auto type = static_cast<std::size_t>(multiply_type(multiply.a_format));
    const std::uint64_t step = std::max<std::uint64_t>(1, description_.cycles_per_row[type]);
    const std::uint64_t wait = dataflow_->continue_cycles(step, integer);
    if (wait != 0) earliest = std::max(earliest, last_entry_start_ + wait);
  }
  return earliest;
}

bool Matrix::start_multiply(Cycle now, InFlight& entry) {
  const isa::Instruction& i = entry.instruction;
  if (i.swap && preload_ != nullptr) return false;
  if (!description_.back_to_back && !passes_.empty()) return false;
  if (earliest_multiply(i) > now) return false;
  if (i.swap) {
    if (!shadow_full_) trap(entry, "it takes a preloaded tile, and none was preloaded since the last one");
    std::swap(active_, shadow_);
    shadow_full_ = false;
  }
  const std::string wrong = mismatch(i, active_, group_buffer_);
  if (!wrong.empty()) trap(entry, wrong);
  begin(now, entry);

  const auto type = static_cast<std::size_t>(multiply_type(active_.format()));
  const std::uint64_t step = description_.cycles_per_row[type];
  const RowPart part = row_part(i.a_format, i.k_offset, i.depth);
  const LineStream stream{i.a.byte() + part.begin, i.a_stride, i.rows, part.bytes, step};
  const StreamTiming timing = reserve_lines(local_.scratchpad(), memory::Port::moving,
                                            description_.moving_port_bytes, now, now, stream);
  Pass pass{&entry, {}, {}};
  if (!spare_terms_.empty()) {
    pass.terms = std::move(spare_terms_.back());
    spare_terms_.pop_back();
  }
  multiply_tile(i, active_, local_.at(i.a, entry.footprint.reads[0].end - i.a.byte()), group_buffer_,
                pass.terms);
  pass.finish = timing.last + (local_.scratchpad().read_latency() + dataflow_->exit_cycles(step) +
                               std::uint64_t{description_.scale_latency_cycles} * pass.terms.groups);
  // Results leave in order, also behind a pass that folds more groups.
  if (!passes_.empty()) pass.finish = std::max(pass.finish, passes_.back().finish + 1);
  multiplications_ += std::uint64_t{i.rows} * i.depth * i.cols;
  passes_.push_back(std::move(pass));
  last_entry_start_ = now;
  entry_end_ = timing.next;
  entry_nominal_ = timing.next - timing.delayed;
  return true;
}

void Matrix::update_state(Cycle now) {
  if (now < entry_nominal_) {
    state_.set(State::busy, now);
  } else if (now < entry_end_) {
    state_.set(State::scratchpad_conflict, now);
  } else if (preload_ != nullptr) {
    state_.set(now < preload_nominal_ ? State::operand_wait : State::scratchpad_conflict, now);
  } else if (!passes_.empty()) {
    state_.set(State::array_drain, now);
  } else if (state_.now() != State::halted) {
    state_.set(State::idle, now);
  }
}

// The next cycle in which something here ends; a waiting head is looked at again then.
Cycle Matrix::next_change(Cycle now) const {
  Cycle next = kNever;
  const auto consider = [&](Cycle c) {
    if (c > now) next = std::min(next, c);
  };
  consider(entry_nominal_);
  consider(entry_end_);
  if (preload_ != nullptr) {
    consider(preload_nominal_);
    consider(preload_finish_);
  }
  if (!passes_.empty()) consider(passes_.front().finish);
  if (!queue_.empty() && queue_.front()->instruction.op == Opcode::multiply) {
    consider(earliest_multiply(queue_.front()->instruction));
  }
  return next;
}

void Matrix::trap(const InFlight& entry, const std::string& what) const {
  throw SimulationError(fmt::format("the matrix unit cannot execute {} at word {}: {}",
                                    isa::name_of(entry.instruction.op), entry.record.pc, what));
}

}  // namespace tokencycle::core
