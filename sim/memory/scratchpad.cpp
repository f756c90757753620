// SPDX-License-Identifier: Apache-2.0
#include "memory/scratchpad.h"

#include <algorithm>
#include <bit>

namespace tokencycle::memory {

namespace {
constexpr std::uint64_t kInitialSlots = 4096;
}

Scratchpad::Scratchpad(const config::Scratchpad& description, std::uint32_t units)
    : bytes_(description.capacity_bytes),
      banks_(description.banks),
      bank_shift_(static_cast<std::uint32_t>(std::countr_zero(description.bank_bytes))),
      read_latency_(description.read_latency_cycles),
      separate_write_port_(description.separate_write_port),
      all_banks_(banks_ == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << banks_) - 1),
      slots_(kInitialSlots),
      counters_(std::size_t{kPorts} * units) {}

std::uint64_t Scratchpad::bank_mask(std::uint32_t first_word, std::uint32_t words) const {
  if (words >= banks_) return all_banks_;
  const std::uint32_t first = first_word & (banks_ - 1);
  const std::uint64_t ones = (std::uint64_t{1} << words) - 1;
  if (first + words <= banks_) return ones << first;
  return ((ones << first) | ones >> (banks_ - first)) & all_banks_;
}

void Scratchpad::forget_before(Cycle now) {
  const std::uint64_t passed = now.value - base_.value;
  if (passed >= slots_.size()) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
  } else {
    const std::uint64_t mask = slots_.size() - 1;
    for (std::uint64_t c = base_.value; c < now.value; ++c) slots_[c & mask] = Slot{};
  }
  base_ = now;
}

void Scratchpad::grow(std::uint64_t slots) {
  std::vector<Slot> bigger(std::bit_ceil(slots));
  const std::uint64_t old_mask = slots_.size() - 1, new_mask = bigger.size() - 1;
  for (std::uint64_t c = base_.value; c < base_.value + slots_.size(); ++c) {
    bigger[c & new_mask] = slots_[c & old_mask];
  }
  slots_.swap(bigger);
}

Cycle Scratchpad::take(Cycle earliest, std::uint64_t mask, bool write) {
  const bool second_port = write && separate_write_port_;
  for (Cycle c = earliest;; c += Cycle(1)) {
    if (c.value - base_.value >= slots_.size()) grow(c.value - base_.value + 1);
    Slot& slot = slots_[c.value & (slots_.size() - 1)];
    std::uint64_t& taken = second_port ? slot.writes : slot.reads;
    if ((taken & mask) == 0) {
      taken |= mask;
      return c;
    }
  }
}

Cycle Scratchpad::reserve(Port port, Cycle now, Cycle earliest, std::uint32_t address, std::uint32_t bytes,
                          bool write) {
  if (now > base_) forget_before(now);
  std::uint32_t word = address >> bank_shift_;
  std::uint32_t words = ((address + bytes - 1) >> bank_shift_) - word + 1;
  Cycle at = earliest, ideal = earliest;
  for (; words > banks_; words -= banks_, word += banks_) {
    at = take(at, bank_mask(word, banks_), write) + 1;
    ideal += Cycle(1);
  }
  at = take(at, bank_mask(word, words), write);
  PortCounters& counters = counters_[static_cast<std::size_t>(port)];
  ++counters.accesses;
  counters.bytes += bytes;
  counters.conflict_cycles += at.value - ideal.value;
  return at;
}

}  // namespace tokencycle::memory
