// SPDX-License-Identifier: Apache-2.0
#include "machine/vector/vector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"

#include "machine/vector/functions.h"

namespace tokencycle::machine {

using isa::Instruction;
using observe::State;

namespace {

constexpr std::uint32_t kF32Bytes = 4;

// Bytes that elements [first, first + count) take in an encoded row, as offsets; blocks in proportion.
struct ByteRange {
  std::uint32_t begin, end;
};
ByteRange bytes_of(Format format, std::uint32_t first, std::uint32_t count) {
  const std::uint64_t unit = block_elements(format), bytes = block_bytes(format);
  return {static_cast<std::uint32_t>(first * bytes / unit),
          static_cast<std::uint32_t>(ceil_div((std::uint64_t{first} + count) * bytes, unit))};
}

}  // namespace

Vector::Vector(const config::Machine& machine, observe::EventHub& hub, LocalMemory& local,
               ResultSink& results, HazardBoard& board, ClockLine clock, Values values, std::uint32_t index)
    : description_(machine.vector),
      unit_(nth(observe::UnitId::vector, index)),
      port_(nth(memory::Port::vector, index)),
      hub_(hub),
      state_(hub, unit_),
      local_(local),
      results_(results),
      board_(board),
      clock_(clock),
      values_(values) {}

void Vector::push(Cycle now, InFlight& entry) {
  queue_.push_back(&entry);
  clock_.wake(now + 1);
}

// (1) the running instruction ends, (2) the next one begins, (3) the state.
Cycle Vector::edge(Cycle now) {
  if (running_ != nullptr && finish_ <= now) finish(now);
  if (running_ == nullptr && !queue_.empty()) {
    InFlight& entry = *queue_.front();
    queue_.pop_front();
    begin(now, entry);
  }
  if (running_ == nullptr) {
    if (state_.now() != State::halted) state_.set(State::idle, now);
    return kNever;
  }
  state_.set(now < nominal_ ? State::busy : State::scratchpad_conflict, now);
  return now < nominal_ ? nominal_ : finish_;
}

void Vector::begin(Cycle now, InFlight& entry) {
  const Instruction& i = entry.instruction;
  running_ = &entry;
  entry.record.started = now;
  hub_.emit_stage(now, entry.record, unit_, observe::Stage::started);
  board_.left_queue(now, entry);

  if (values_ == Values::computed) compute(entry);
  if (i.op == isa::Opcode::top_k && choices_ != nullptr) choose(i);
  entry.record.work = std::uint64_t{i.rows} * i.cols;
  elements_ += entry.record.work;
  const std::uint64_t times = isa::vector_function(i.op).repeated ? i.depth : 1;
  for (const isa::VectorPass& pass : isa::passes_of(i)) {
    for (const isa::LaneFunction f : pass.chain())
      entry.record.lane_elements[static_cast<std::size_t>(f)] += times * entry.record.work;
  }

  const memory::PortCounters& port = local_.scratchpad().counters(port_);
  const std::uint64_t before = port.bytes;
  Timeline timeline{now, now, now, 0};
  for (std::uint32_t row = 0; row < i.rows; ++row) time_row(now, i, row, timeline);
  entry.record.scratchpad_bytes = port.bytes - before;
  finish_ = std::max(timeline.end, now + 1);
  nominal_ = std::max(Cycle(finish_.value - std::min(timeline.delayed, finish_.value)), now + 1);
}

// The operands are taken, and the result is known, when the instruction begins; it is written when it ends.
void Vector::compute(const InFlight& entry) {
  const Instruction& i = entry.instruction;
  const auto reads = entry.footprint.read_ranges();
  VectorOperands operands{local_.at(i.a, reads[0].end - reads[0].begin), {}};
  if (reads.size() > 1) operands.b = local_.at(i.b, reads[1].end - reads[1].begin);
  if (reads.size() > 2) operands.dst = local_.at(i.dst, reads[2].end - reads[2].begin);
  try {
    execute_vector(i, operands, result_);
    result_rows_ = rows_of_result(i, operands.b);
  } catch (const SimulationError& error) {
    throw SimulationError(fmt::format("the machine stopped at word {}: {}: {}", entry.record.pc,
                                      isa::name_of(i.op), error.what()));
  }
}

// The result is a row of u32 for each row.
void Vector::choose(const Instruction& i) {
  std::vector<std::uint32_t> places(i.depth);
  const std::size_t bytes = places.size() * sizeof(std::uint32_t);
  if (values_ == Values::absent) {
    result_.resize(i.rows * bytes);
    result_rows_.resize(i.rows);
    std::iota(result_rows_.begin(), result_rows_.end(), 0u);
  }
  for (std::size_t row = 0; row < i.rows; ++row) {
    if (values_ == Values::computed) {
      std::memcpy(places.data(), result_.data() + row * bytes, bytes);
      choices_->chose(places);
    } else {
      choices_->choose(i.cols, places);
      std::memcpy(result_.data() + row * bytes, places.data(), bytes);
    }
  }
}

void Vector::time_row(Cycle now, const Instruction& i, std::uint32_t row, Timeline& timeline) {
  const isa::VectorFunction& f = isa::vector_function(i.op);
  const std::span<const isa::VectorPass> passes = isa::passes_of(i);
  bool after_reduction = false;
  for (std::size_t n = 0; n < passes.size() * (f.repeated ? i.depth : 1); ++n) {
    const isa::VectorPass& pass = passes[n % passes.size()];
    std::uint64_t interval = 1, latency = 0;
    for (const isa::LaneFunction part : pass.chain()) {
      interval = std::max<std::uint64_t>(interval, description_.cost(part).cycles_per_beat);
      latency += description_.cost(part).latency_cycles;
    }
    if (after_reduction) timeline.issue = std::max(timeline.issue, timeline.result);
    for (std::uint32_t first = 0; first < i.cols; first += description_.lanes) {
      time_beat(now, i, row, first, std::min(description_.lanes, i.cols - first), pass.reads_b, pass.writes,
                interval, latency, timeline);
    }
    after_reduction = !pass.writes;
  }
  if (!after_reduction) return;
  const auto results = static_cast<std::uint32_t>(isa::result_columns(i));
  for (std::uint32_t first = 0; first < results; first += description_.lanes) {
    time_write(now, i, row, first, std::min(description_.lanes, results - first),
               timeline.result + first / description_.lanes, timeline);
  }
}

void Vector::time_beat(Cycle now, const Instruction& i, std::uint32_t row, std::uint32_t first,
                       std::uint32_t count, bool reads_b, bool writes, std::uint64_t interval,
                       std::uint64_t latency, Timeline& timeline) {
  memory::Scratchpad& scratchpad = local_.scratchpad();
  Cycle issue = timeline.issue;
  const auto read = [&](isa::LocalAddress at, std::uint32_t offset, ByteRange part) {
    if (at.in_accumulator()) return;
    const Cycle granted = scratchpad.reserve(port_, now, timeline.issue, at.byte() + offset + part.begin,
                                             part.end - part.begin, false);
    issue = std::max(issue, granted);
  };
  const isa::VectorFunction& f = isa::vector_function(i.op);
  const bool by_element = f.indexed == isa::Indexed::a_elements;
  if (!by_element) {
    const std::uint32_t from = f.indexed == isa::Indexed::a_rows ? row % i.extent : row;
    read(i.a, from * i.a_stride, bytes_of(i.a_format, first, count));
  }
  if (f.indexed == isa::Indexed::dst_sums) {
    read(i.dst, row % i.extent * i.dst_stride, bytes_of(Format::f32, first, count));
  }
  if (reads_b && isa::second_columns(i) == 1) {  // once for the row
    if (first == 0) read(i.b, row * isa::second_stride(i), bytes_of(Format::f32, 0, 1));
  } else if (reads_b) {
    // A rotary beat needs the angles of its elements, at most one table row.
    const bool angles = f.second == isa::Second::angles;
    const std::uint32_t last = angles ? std::min(first % i.head + count, i.rotate) : 0;
    const std::uint32_t begin = angles ? std::min(first % i.head, last - (last > 0 ? 1 : 0)) : first;
    const std::uint32_t n = angles ? last - begin : count;
    if (n > 0) read(i.b, row * i.b_stride, bytes_of(Format::f32, begin, n));
    if (f.second == isa::Second::row_pair) read(i.b, 0, bytes_of(Format::f32, i.cols + begin, n));
  }
  timeline.delayed += issue.value - timeline.issue.value;
  if (by_element) {  // one after the other, once the indices are known
    for (std::uint32_t c = first; c < first + count && !i.a.in_accumulator(); ++c) {
      const Cycle due = c == first ? issue : issue + 1;
      issue = scratchpad.reserve(port_, now, due, i.a.byte() + row * i.a_stride + c % i.extent * kF32Bytes,
                                 kF32Bytes, false);
      timeline.delayed += issue.value - due.value;
    }
    if (i.a.in_accumulator()) issue = issue + (count - 1);
  }
  timeline.issue = issue + interval;
  timeline.result = issue + (scratchpad.read_latency() + latency);
  timeline.end = std::max(timeline.end, timeline.result);
  if (writes) time_write(now, i, row, first, count, timeline.result, timeline);
}

void Vector::time_write(Cycle now, const Instruction& i, std::uint32_t row, std::uint32_t first,
                        std::uint32_t count, Cycle ready, Timeline& timeline) {
  memory::Scratchpad& scratchpad = local_.scratchpad();
  const auto write = [&](std::uint32_t at, std::uint32_t bytes) {
    const Cycle granted = scratchpad.reserve(port_, now, ready, at, bytes, true);
    timeline.delayed += granted.value - ready.value;
    timeline.end = std::max(timeline.end, granted + 1);
  };
  if (isa::vector_function(i.op).result == isa::Result::turned) {  // a beat's elements go to as many rows
    const std::uint32_t size = block_bytes(i.a_format);
    for (std::uint32_t c = first; c < first + count; ++c) {
      write(i.dst.byte() + c * i.dst_stride + row * size, size);
      ready += Cycle(1);
    }
    timeline.issue = std::max(timeline.issue, Cycle(timeline.issue.value + count - 1));
    return;
  }
  const ByteRange part = bytes_of(i.dst_format, first, count);
  const isa::Indexed indexed = isa::vector_function(i.op).indexed;
  const bool chosen = indexed == isa::Indexed::dst_rows || indexed == isa::Indexed::dst_sums;
  write(i.dst.byte() + (chosen ? row % i.extent : row) * i.dst_stride + part.begin, part.end - part.begin);
}

void Vector::finish(Cycle now) {
  const bool chosen = running_->instruction.op == isa::Opcode::top_k && choices_ != nullptr;
  if (values_ == Values::computed || chosen) write_result(running_->instruction);
  results_.finished(now, *running_);
  running_ = nullptr;
}

void Vector::write_result(const Instruction& i) {
  const std::size_t row_size = isa::result_row_bytes(i);
  const std::span<std::byte> out = local_.at(i.dst, (isa::result_rows(i) - 1) * i.dst_stride + row_size);
  for (std::size_t r = 0; r < result_rows_.size(); ++r) {
    std::memcpy(out.data() + std::size_t{result_rows_[r]} * i.dst_stride, result_.data() + r * row_size,
                row_size);
  }
}

}  // namespace tokencycle::machine
