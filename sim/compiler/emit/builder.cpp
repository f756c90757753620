// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/builder.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace tokencycle::compiler {

Builder::Builder(const Plan& plan, const config::Machine& machine)
    : ring_begin_(plan.ring_begin),
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

void Builder::end_loop(std::uint32_t at, std::uint32_t count, isa::LoopStep first, isa::LoopStep second) {
  isa::Instruction loop;
  loop.op = isa::Opcode::loop;
  loop.count = count;
  loop.length = position() - at - 1;
  loop.steps[0] = first;
  loop.steps[1] = second;
  draft_.words[at] = isa::encode(loop);
  const std::uint64_t body = executed_ - executed_at_.at(--loop_depth_);
  executed_ += body * (count - 1);
}

std::uint32_t Builder::acquire(std::uint64_t bytes, const isa::Instruction* load) {
  const auto size = static_cast<std::uint32_t>(round_up(bytes, kAlignment));
  if (size > ring_end_ - ring_begin_)
    throw std::logic_error("a chunk exceeds the ring that was planned for it");
  if (size > ring_end_ - ring_next_) ring_next_ = ring_begin_;
  Chunk chunk;
  chunk.begin = ring_next_;
  chunk.end = ring_next_ += size;
  chunk.acquired = chunk.released = position();
  chunk.operator_id = operator_;
  chunk.earliest = earliest_;
  if (load != nullptr) {
    isa::Instruction placed = *load;
    placed.dst = isa::LocalAddress::scratchpad(chunk.begin);
    chunk.has_load = true;
    chunk.load = isa::encode(placed);
  }
  draft_.chunks.push_back(chunk);
  return chunk.begin;
}

void Builder::release() {
  draft_.chunks.back().released = position();
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

void Builder::tap(std::uint32_t operator_index, isa::LocalAddress at, std::uint64_t row_bytes,
                  std::uint32_t first_col, std::uint32_t cols, std::uint32_t rows) {
  draft_.taps.push_back(
      {position() - 1, operator_index, at, static_cast<std::uint32_t>(row_bytes), first_col, cols, rows});
}

}  // namespace tokencycle::compiler
