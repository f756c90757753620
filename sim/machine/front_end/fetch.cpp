// SPDX-License-Identifier: Apache-2.0
#include "machine/front_end/fetch.h"

#include <algorithm>

namespace tokencycle::machine {

using observe::State;

namespace {
// A burst's tag: the epoch in the upper 8 bits, its first word below.
constexpr std::uint32_t kWordBits = 24;
constexpr std::uint32_t kWordMask = (1u << kWordBits) - 1;
}  // namespace

Fetch::Fetch(const config::Machine& machine, const memory::DramStorage& storage, observe::EventHub& hub,
             ClockLine clock)
    : storage_(storage),
      hub_(hub),
      clock_(clock),
      state_(hub, observe::UnitId::fetch),
      words_per_burst_(machine.dram.burst_bytes / isa::kWordBytes),
      requests_limit_(machine.fetch.requests_in_flight),
      slots_(std::size_t{machine.fetch.buffer_words} / words_per_burst_ * words_per_burst_) {
  // A loop need not begin or end at a burst's border.
  const auto size = static_cast<std::uint32_t>(slots_.size());
  capacity_ = size > 2 * words_per_burst_ ? size - 2 * words_per_burst_ : 0;
}

void Fetch::start(Cycle now, DramAddress base, std::uint32_t words) {
  base_ = base;
  words_ = words;
  low_ = high_ = 0;
  epoch_ = (epoch_ + 1) & 0xff;
  ready_at_ = now;
  running_ = true;
  awaited_ = kNoWord;
  prepare_head();
  note_change();
  update_state(now);
}

void Fetch::stop(Cycle now) {
  running_ = false;
  note_change();
  state_.set(State::halted, now);
}

bool Fetch::can_issue() const {
  return running_ && high_ < words_ && in_flight_ < requests_limit_ &&
         high_ + words_per_burst_ - low_ <= slots_.size();
}

Cycle Fetch::next_issue() const {
  return can_issue() ? ready_at_ : kNever;
}

void Fetch::prepare_head() {
  const std::uint32_t count = std::min(words_per_burst_, words_ - high_);
  head_ = {base_ + std::uint64_t{high_} * isa::kWordBytes, count * isa::kWordBytes, false,
           memory::Requester::fetch, epoch_ << kWordBits | high_};
}

void Fetch::issued(Cycle now) {
  const std::uint32_t end = std::min(high_ + words_per_burst_, words_);
  for (; high_ < end; ++high_) slot(high_) = {};
  // The window's end stays at a burst's border, also behind a short last burst.
  ++in_flight_;
  ready_at_ = now;
  if (high_ < words_) prepare_head();
  update_state(now);
}

void Fetch::completed(Cycle now, const memory::Burst& burst) {
  --in_flight_;
  ready_at_ = now;
  const std::uint32_t first = burst.tag & kWordMask;
  const std::uint32_t count = burst.bytes / isa::kWordBytes;
  // A loop of no iteration may have skipped words that were under way: their slots are others' by now.
  if (burst.tag >> kWordBits == epoch_ && running_ && first >= low_) {
    for (std::uint32_t pc = first; pc < first + count; ++pc) {
      Slot& s = slot(pc);
      storage_.read(base_ + std::uint64_t{pc} * isa::kWordBytes, s.word);
      s.arrived = now;
    }
    hub_.emit({now, first, count, 0, observe::EventKind::words_arrived, observe::UnitId::fetch, 0, 0});
    if (awaited_ - first < count) clock_.wake(now + 1);
  }
  update_state(now);
}

FetchedWord Fetch::peek(Cycle now, std::uint32_t pc) {
  const Slot& s = slot(pc);
  const bool arrived = pc < high_ && s.arrived != kNever;
  if (arrived && s.arrived < now) return {&s.word, s.arrived, now};
  awaited_ = pc;
  return {nullptr, kNever, arrived ? now + 1 : kNever};
}

void Fetch::move_to(Cycle now, std::uint32_t pc, std::uint32_t keep) {
  const std::uint32_t low = keep / words_per_burst_ * words_per_burst_;
  const bool could_issue = can_issue();
  if (pc >= low_ && pc < high_ && low <= low_) {  // the window stays
    if (ready_at_ < now) ready_at_ = now;
    if (could_issue) note_change();
    return;
  }
  if (pc < low_ || pc > high_ || (pc == high_ && high_ % words_per_burst_ != 0)) {
    low_ = high_ = pc / words_per_burst_ * words_per_burst_;
    epoch_ = (epoch_ + 1) & 0xff;
    if (high_ < words_) prepare_head();
  } else {
    low_ = std::max(low_, low);
  }
  if (ready_at_ < now) ready_at_ = now;
  if (could_issue || can_issue()) note_change();
  update_state(now);
}

void Fetch::update_state(Cycle now) {
  if (!running_) return;
  if (in_flight_ > 0 || can_issue()) {
    state_.set(State::busy, now);
  } else {
    state_.set(high_ < words_ ? State::buffer_full : State::idle, now);
  }
}

}  // namespace tokencycle::machine
