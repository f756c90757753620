// SPDX-License-Identifier: Apache-2.0
// The program under construction: words, the operators they belong to, ring chunks, taps and deferred sinks.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

#include "compiler/compiler.h"
#include "compiler/emit/operations.h"
#include "compiler/passes/plan.h"

namespace tokencycle::compiler {

// A piece of the ring that one load fills. Its readers are the words [acquired, released).
struct Chunk {
  std::uint32_t begin = 0, end = 0;  // scratchpad bytes
  std::uint32_t acquired = 0, released = 0;
  std::uint32_t earliest = 0;  // its load goes before no earlier word
  std::uint32_t operator_id = 0;
  bool has_load = false;
  isa::Word load{};
};

// Words in program order without the ring's loads, which schedule_loads() merges in.
struct Draft {
  std::vector<isa::Word> words;
  std::vector<std::uint32_t> operator_ids;  // of each word
  std::vector<std::uint32_t> executed;      // instructions executed before each word
  std::vector<bool> breakable;              // whether a load may be put before the word: not within a loop
  std::vector<Chunk> chunks;                // in the order of use
  std::vector<Tap> taps;
};

inline constexpr std::uint32_t kNoOperator = 0xffff'ffffu;

class Builder {
 public:
  Builder(const Plan& plan, const config::Machine& machine);

  // Following words belong to this operator of the graph.
  void set_operator(std::uint32_t id) { operator_ = id; }
  std::uint32_t current_operator() const { return operator_; }
  void emit(const isa::Instruction& instruction);

  // A hardware loop: begin_loop() reserves its word, end_loop() closes the body and fills it in.
  std::uint32_t begin_loop();
  void end_loop(std::uint32_t at, std::uint32_t count, std::initializer_list<isa::LoopStep> steps);
  bool in_loop() const { return loop_depth_ != 0; }

  // Takes bytes from the ring's start for what stays longer than its chunks, until the ring is widened again.
  std::uint32_t narrow_ring(std::uint64_t bytes);
  void widen_ring() { ring_begin_ = whole_ring_begin_; }
  std::uint32_t ring_bytes() const { return ring_end_ - ring_begin_; }

  // The ring's next bytes, which may be those of chunks that are released.
  std::uint32_t ring(std::uint64_t bytes);
  // A chunk at the bytes that `load` writes, whose readers begin here: the load may be scheduled long before
  // this point. Returns the number to release it by.
  std::size_t hold(const isa::Instruction& load);
  void release(std::size_t chunk) { draft_.chunks[chunk].released = position(); }

  // The same for a chunk at the ring's next bytes, which is released before another is acquired; returns its
  // address. The load's dst is filled in; nullptr: nothing is loaded.
  std::uint32_t acquire(std::uint64_t bytes, const isa::Instruction* load);
  void release() { release(draft_.chunks.size() - 1); }
  // Loads of chunks that are acquired from now on go before no earlier word: what they read is written there.
  void hold_loads() { earliest_ = position(); }

  // The half of the accumulator memory that was not used last, so that sums of one chunk are read
  // while the next ones are made.
  isa::LocalAddress next_half();

  // A sink consumes sums; it is emitted behind the products that follow, so that decode does not wait
  // for the array at once.
  using Sink = std::function<void()>;
  void defer(Sink sink);
  void flush();

  std::uint32_t position() const { return static_cast<std::uint32_t>(draft_.words.size()); }

  // A part of a result: columns, and rows as the step counts them.
  struct Part {
    std::uint32_t first_col = 0, cols = 0, first_row = 0, rows = 0;
  };
  // That the word just emitted completes; its rows lie at `at`.
  void tap(std::uint32_t operator_index, Rows at, const Part& part) {
    tap_since(position() - 1, operator_index, at, part);
  }
  // The same where the words from `from` on complete it.
  void tap_since(std::uint32_t from, std::uint32_t operator_index, Rows at, const Part& part);

  Draft take() { return std::move(draft_); }

 private:
  void append(const isa::Word& word);
  void add_chunk(std::uint32_t begin, std::uint64_t bytes, const isa::Instruction* load);

  Draft draft_;
  std::uint32_t operator_ = kNoOperator;
  std::uint32_t earliest_ = 0;
  std::uint32_t loop_depth_ = 0;
  std::uint64_t executed_ = 0;
  std::array<std::uint64_t, isa::kLoopDepth> executed_at_{};  // at each open loop
  std::uint32_t whole_ring_begin_, ring_begin_, ring_end_, ring_next_;
  std::uint32_t half_bytes_;
  bool upper_half_ = true;
  Sink pending_;
  std::uint32_t pending_operator_ = kNoOperator;
};

}  // namespace tokencycle::compiler
