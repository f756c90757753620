// SPDX-License-Identifier: Apache-2.0
// What each cycle was spent on: one cause per cycle, so that the causes sum to the time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "observe/event.h"

namespace tokencycle::observe {

// The first that applies, in this order. Work comes before waiting; when nothing computes, what decode waits
// for names the cause.
enum class Cause : std::uint8_t {
  matrix = 0,         // moving rows enter the array
  vector,             // the vector unit works
  preload,            // the array waits for a stationary tile that is being shifted in
  format_decode,      // the array waits for the stage that takes stored numbers apart
  scratchpad,         // a compute unit waits for a scratchpad bank
  dma_bandwidth,      // decode waits for a DMA transfer, and its bursts wait for the engine's scratchpad port
  dram_bandwidth,     // decode waits for a DMA transfer, and a DRAM data bus carries data, or spaces bursts
  dram_row_conflict,  // the same, and no bus does: what the memory waits for, by kDataStates
  dram_bank_busy,
  dram_turnaround,
  dram_refresh,
  dram_latency,  // the same, and the memory waits for nothing: bursts are on their way
  front_end,     // decode waits for instruction words, or instructions are on their way to the units
  drain,         // results leave the array, or the program ends
  writeback,     // finished instructions wait for a writeback port
  dependency,    // the rest: steps between a result and the instruction that waited for it
};
inline constexpr int kCauses = static_cast<int>(Cause::dependency) + 1;
std::string_view name_of(Cause cause);

using Stack = std::array<std::uint64_t, kCauses>;  // cycles by Cause

inline void add_to(Stack& sum, const Stack& more) {
  for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += more[c];
}
inline Stack difference(const Stack& later, const Stack& earlier) {
  Stack stack = later;
  for (std::size_t c = 0; c < stack.size(); ++c) stack[c] -= earlier[c];
  return stack;
}
// The cause with the most cycles, of several the first; nothing where no cycle is.
std::optional<Cause> largest(const Stack& stack);

class CycleStack : public Observer {
 public:
  // Counts from `start` on.
  explicit CycleStack(Cycle start) : since_(start) {}

  std::uint32_t interests() const override { return kinds({EventKind::unit_state}); }
  void on_event(const Event& event) override;
  // The stack from the last call's `end` up to, not including, `end`. It sums to the cycles between.
  Stack take(Cycle end);
  // From the beginning up to, not including, `now`, which is not before the last event; take() changes
  // nothing of it.
  Stack so_far(Cycle now) const;

  template <class Archive>
  void serialize(Archive& state) {
    state(states_, further_, waits_for_, channels_, channels_by_state_, since_, stack_, taken_);
  }

 private:
  Cause cause() const;
  Cause waiting_cause() const;
  Cause memory_cause() const;
  void settle(Cycle now);

  bool any(UnitId kind, State state) const;

  std::array<State, kFirstChannel> states_ = filled();
  std::vector<State> further_;                              // of units beyond the first of their kind, by id
  std::uint64_t waits_for_ = 0;                             // decode: 1 + isa::Unit
  std::vector<State> channels_;                             // grows with the channels that report
  std::array<std::uint32_t, kStates> channels_by_state_{};  // of those that reported
  Cycle since_;
  Stack stack_{};  // from the beginning up to since_
  Stack taken_{};  // of it

  static constexpr std::array<State, kFirstChannel> filled() {
    std::array<State, kFirstChannel> states{};
    states.fill(State::halted);
    return states;
  }
};

}  // namespace tokencycle::observe
