// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/builder.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace tokencycle::compiler {

Builder::Builder(const Plan& plan, const config::Machine& machine)
    : whole_ring_begin_(plan.ring_begin),
      ring_begin_(plan.ring_begin),
      ring_end_(plan.ring_end),
      ring_next_(plan.ring_begin),
      half_bytes_(machine.accumulator.capacity_bytes / 8 * 4) {
  constexpr std::size_t kUsual = 2048;
  draft_.words.reserve(kUsual);
  draft_.operator_ids.reserve(kUsual);
  draft_.executed.reserve(kUsual);
  draft_.breakable.reserve(kUsual);
}

void Builder::append(const isa::Word& word) {
  draft_.words.push_back(word);
  draft_.operator_ids.push_back(operator_);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  draft_.executed.push_back(static_cast<std::uint32_t>(std::min(executed_, kMost)));
  draft_.breakable.push_back(loop_depth_ == 0);
  ++executed_;
}

void Builder::emit(const isa::Instruction& instruction) {
  append(isa::encode(instruction));
}

std::uint32_t Builder::begin_loop() {
  const std::uint32_t at = position();
  append({});
  executed_at_.at(loop_depth_++) = executed_;
  return at;
}

void Builder::end_loop(std::uint32_t at, std::uint32_t count, std::initializer_list<isa::LoopStep> steps) {
  isa::Instruction loop;
  loop.op = isa::Opcode::loop;
  loop.count = count;
  loop.length = position() - at - 1;
  std::copy(steps.begin(), steps.end(), loop.steps.begin());
  draft_.words[at] = isa::encode(loop);
  const std::uint64_t body = executed_ - executed_at_.at(--loop_depth_);
  executed_ += body * (count - 1);
}

std::uint32_t Builder::narrow_ring(std::uint64_t bytes) {
  const std::uint32_t at = ring_begin_;
  ring_begin_ += static_cast<std::uint32_t>(round_up(bytes, kAlignment));
  ring_next_ = std::max(ring_next_, ring_begin_);
  return at;
}

std::uint32_t Builder::ring(std::uint64_t bytes) {
  const auto size = static_cast<std::uint32_t>(round_up(bytes, kAlignment));
  if (size > ring_end_ - ring_begin_)
    throw std::logic_error("a chunk exceeds the ring that was planned for it");
  if (size > ring_end_ - ring_next_) ring_next_ = ring_begin_;
  ring_next_ += size;
  return ring_next_ - size;
}

void Builder::add_chunk(std::uint32_t begin, std::uint64_t bytes, const isa::Instruction* load) {
  Chunk chunk;
  chunk.begin = begin;
  chunk.end = begin + static_cast<std::uint32_t>(bytes);
  chunk.acquired = chunk.released = position();
  chunk.operator_id = operator_;
  chunk.earliest = earliest_;
  if (load != nullptr) {
    chunk.has_load = true;
    chunk.load = isa::encode(*load);
  }
  draft_.chunks.push_back(chunk);
}

std::size_t Builder::hold(const isa::Instruction& load) {
  const isa::Range written = isa::footprint(load).writes[0];
  add_chunk(static_cast<std::uint32_t>(written.begin), written.end - written.begin, &load);
  return draft_.chunks.size() - 1;
}

std::uint32_t Builder::acquire(std::uint64_t bytes, const isa::Instruction* load) {
  const std::uint32_t at = ring(bytes);
  const std::uint64_t size = round_up(bytes, kAlignment);
  if (load == nullptr) {
    add_chunk(at, size, nullptr);
    return at;
  }
  isa::Instruction placed = *load;
  placed.dst = isa::LocalAddress::scratchpad(at);
  add_chunk(at, size, &placed);
  return at;
}

isa::LocalAddress Builder::next_half() {
  upper_half_ = !upper_half_;
  return isa::LocalAddress::accumulator(upper_half_ ? half_bytes_ : 0);
}

void Builder::defer(Sink sink) {
  flush();
  pending_ = std::move(sink);
  pending_operator_ = operator_;
}

void Builder::flush() {
  if (!pending_) return;
  const std::uint32_t outer = operator_;
  operator_ = pending_operator_;
  const Sink sink = std::move(pending_);
  pending_ = nullptr;
  sink();
  operator_ = outer;
}

void Builder::tap_since(std::uint32_t from, std::uint32_t operator_index, Rows at, const Part& part) {
  draft_.taps.push_back({from, position() - 1, operator_index, at.at, at.stride, part.first_col, part.cols,
                         part.first_row, part.rows});
}

}  // namespace tokencycle::compiler
