// SPDX-License-Identifier: Apache-2.0
// Fetch: instruction words from DRAM through the instruction buffer, with sequential prefetch.
#pragma once

#include <cstdint>
#include <vector>

#include "config/machine.h"
#include "machine/unit.h"
#include "memory/dram/storage.h"
#include "memory/interconnect.h"

namespace tokencycle::machine {

// The buffer holds a window [low, high) of the program. Words are asked for burst by burst as long as the
// window has room; decode moves the low end up, but not past the start of a hardware loop that fits, so that
// its iterations need no DRAM. A jump out of the window empties the buffer.
class Fetch : public memory::BurstSource, public InstructionSource {
 public:
  Fetch(const config::Machine& machine, const memory::DramStorage& storage, observe::EventHub& hub,
        ClockLine clock);

  // Begins a program of `words` words at `base` (aligned to a burst).
  void start(Cycle now, DramAddress base, std::uint32_t words);

  observe::State state() const { return state_.now(); }
  std::uint32_t bursts_in_flight() const { return in_flight_; }
  std::uint32_t first_word() const { return low_; }  // of the buffer's window
  std::uint32_t end_word() const { return high_; }
  // True if nothing is on its way here and, with the window as it is, nothing will be asked for.
  bool at_rest() const { return in_flight_ == 0 && !can_issue(); }
  // When the word arrived; kNever for one that is not in the buffer. The window stays where it is while
  // decode's loops keep what is behind `keep`.
  Cycle arrived(std::uint32_t pc, std::uint32_t keep) const {
    if (pc < low_ || pc >= high_ || keep / words_per_burst_ * words_per_burst_ > low_) return kNever;
    return slots_[pc % static_cast<std::uint32_t>(slots_.size())].arrived;
  }
  const isa::Word& word(std::uint32_t pc) const {
    return slots_[pc % static_cast<std::uint32_t>(slots_.size())].word;
  }
  // Between two programs; start() sets the rest.
  template <class Archive>
  void serialize(Archive& state) {
    state(state_, in_flight_, epoch_);
  }

  // InstructionSource
  FetchedWord peek(Cycle now, std::uint32_t pc) override;
  void move_to(Cycle now, std::uint32_t pc, std::uint32_t keep) override;
  std::uint32_t capacity() const override { return capacity_; }
  std::uint32_t words() const override { return words_; }
  void stop(Cycle now) override;

  // BurstSource
  Cycle next_issue() const override;
  const memory::Burst& head() const override { return head_; }
  void issued(Cycle now) override;
  void completed(Cycle now, const memory::Burst& burst) override;
  void data_state_changed(Cycle, observe::State) override {}

 private:
  static constexpr std::uint32_t kNoWord = ~0u;
  struct Slot {
    isa::Word word{};
    Cycle arrived = kNever;
  };
  Slot& slot(std::uint32_t pc) { return slots_[pc % static_cast<std::uint32_t>(slots_.size())]; }
  bool can_issue() const;
  void prepare_head();
  void update_state(Cycle now);

  const memory::DramStorage& storage_;
  observe::EventHub& hub_;
  ClockLine clock_;
  observe::UnitState state_;
  std::uint32_t words_per_burst_, requests_limit_, capacity_;
  std::vector<Slot> slots_;

  DramAddress base_;
  std::uint32_t words_ = 0, low_ = 0, high_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint32_t awaited_ = kNoWord;  // the word that decode was refused last
  std::uint32_t epoch_ = 0;          // bursts asked for before a jump are dropped when they arrive
  Cycle ready_at_;
  bool running_ = false;
  memory::Burst head_;
};

}  // namespace tokencycle::machine
