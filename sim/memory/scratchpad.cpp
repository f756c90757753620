// SPDX-License-Identifier: Apache-2.0
#include "memory/scratchpad.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace tokencycle::memory {

namespace {

constexpr std::uint64_t kInitialSlots = 1024;
constexpr std::uint32_t kShortRun = 4;  // up to so many accesses, slots are cheaper than a run

}  // namespace

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

std::uint64_t Scratchpad::mask_of(const AccessRun& run, std::uint32_t index) const {
  const std::uint32_t address = run.address + index * run.stride;
  const std::uint32_t word = address >> bank_shift_;
  return bank_mask(word, ((address + run.bytes - 1) >> bank_shift_) - word + 1);
}

// Accesses after which a run meets the same banks again: a power of two.
std::uint64_t Scratchpad::period_of(const AccessRun& run) const {
  const std::uint64_t around = std::uint64_t{banks_} << bank_shift_;
  return around >> std::countr_zero(around | run.stride);  // over the largest power of two in both
}

// Whether a run takes one of the banks in that cycle.
bool Scratchpad::in_runs(Cycle c, std::uint64_t mask) const {
  for (const auto& [run, last] : runs_) {
    if (c < run.first || last < c) continue;
    std::uint64_t index = c.value - run.first.value;
    if (run.interval != 1) {
      if (index % run.interval != 0) continue;
      index /= run.interval;
    }
    if ((mask_of(run, static_cast<std::uint32_t>(index)) & mask) != 0) return true;
  }
  return false;
}

// How many accesses of `run`, from its first on, meet none of `other`. Both repeat their banks, so the first
// repetition of the pair says it for all.
std::uint32_t Scratchpad::free_of(const AccessRun& run, const AccessRun& other) const {
  if (other.last() < run.first || run.last() < other.first) return run.count;
  const std::uint64_t ahead = other.first > run.first ? other.first.value - run.first.value : 0;
  const bool each_cycle = run.interval == 1 && other.interval == 1;
  const std::uint64_t other_in_mine =
      each_cycle ? 1 : other.interval / std::gcd(run.interval, other.interval);
  const std::uint64_t pair = other_in_mine * std::max(period_of(run), period_of(other));
  const std::uint64_t first = ceil_div(ahead, run.interval);
  const std::uint64_t end = std::min<std::uint64_t>(run.count, first + pair);
  if (each_cycle) {                                                    // access i meets access i + behind
    const std::uint64_t behind = run.first.value - other.first.value;  // modulo 2^64
    const std::uint64_t both = std::min<std::uint64_t>(end, other.count - behind);
    for (std::uint64_t i = first; i < both; ++i) {
      const auto mine = static_cast<std::uint32_t>(i);
      if ((mask_of(run, mine) & mask_of(other, static_cast<std::uint32_t>(i + behind))) != 0) return mine;
    }
    return run.count;
  }
  for (std::uint64_t i = first; i < end; ++i) {
    const std::uint64_t distance = run.first.value + i * run.interval - other.first.value;
    const std::uint64_t j = distance / other.interval;
    if (j >= other.count) break;
    if (j * other.interval != distance) continue;
    const auto mine = static_cast<std::uint32_t>(i);
    if ((mask_of(run, mine) & mask_of(other, static_cast<std::uint32_t>(j))) != 0) return mine;
  }
  return run.count;
}

void Scratchpad::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  slots_.swap(old);
  for (const Slot& s : old) {
    if (s.cycle != kNever && s.cycle >= base_) slot(s.cycle) = s;
  }
}

void Scratchpad::clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  last_slot_ = {};
  runs_.clear();
}

// Of runs what is to come, and addresses by the places that they lead to.
void Scratchpad::forget_past(Cycle now) {
  std::erase_if(runs_, [now](const TakenRun& r) { return r.last <= now; });
  for (auto& [run, last] : runs_) {
    if (run.first <= now) {
      run.skip(
          static_cast<std::uint32_t>(ceil_div(now.value + 1 - run.first.value, std::uint64_t{run.interval})));
    }
    run.address &= bytes_around() - 1;
  }
  last_slot_ = std::max(last_slot_, now);
}

Cycle Scratchpad::next_taken(Cycle after) {
  for (Cycle c = after + 1; c <= last_slot_; c += Cycle(1)) {
    const Slot& s = slot(c);
    if (s.cycle == c && (s.reads | s.writes) != 0) return c;
  }
  return kNever;
}

bool Scratchpad::try_take(Cycle c, std::uint64_t mask, bool write) {
  const bool second_port = write && separate_write_port_;
  if (!second_port && !runs_.empty() && in_runs(c, mask)) return false;
  Slot* s = &slot(c);
  if (s->cycle != c) {
    for (; s->cycle != kNever && s->cycle >= base_; s = &slot(c)) grow();
    *s = {c, 0, 0};
  }
  std::uint64_t& taken = second_port ? s->writes : s->reads;
  if ((taken & mask) != 0) return false;
  taken |= mask;
  last_slot_ = std::max(last_slot_, c);
  return true;
}

Cycle Scratchpad::take(Cycle earliest, std::uint64_t mask, bool write) {
  Cycle c = earliest;
  while (!try_take(c, mask, write)) c += Cycle(1);
  return c;
}

Cycle Scratchpad::reserve(Port port, Cycle now, Cycle earliest, std::uint32_t address, std::uint32_t bytes,
                          bool write) {
  base_ = std::max(base_, now);
  const auto over = [this](const TakenRun& r) { return r.last < base_; };
  if (!runs_.empty() && over(runs_.front())) std::erase_if(runs_, over);
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

// (1) one by one where slots are taken, (2) the rest as a run, up to where it meets another one.
std::uint32_t Scratchpad::reserve_run(Port port, Cycle now, const AccessRun& wanted) {
  base_ = std::max(base_, now);
  // An access that may need a bank twice is for reserve().
  if (wanted.bytes > ((banks_ - 1) << bank_shift_)) return 0;
  AccessRun run = wanted;
  bool free = true;
  while (run.count > 0 && (run.count <= kShortRun || run.first <= last_slot_) && free) {
    free = try_take(run.first, mask_of(run, 0), false);
    if (free) run.skip(1);
  }
  if (run.count > 0 && free) {
    std::erase_if(runs_, [this](const TakenRun& r) { return r.last < base_; });
    AccessRun piece = run;
    for (const TakenRun& other : runs_) piece.count = std::min(piece.count, free_of(piece, other.run));
    if (piece.count > kShortRun) {
      runs_.push_back({piece, piece.last()});
    } else {
      for (std::uint32_t i = 0; i < piece.count; ++i) {
        try_take(run.first + std::uint64_t{i} * run.interval, mask_of(run, i), false);
      }
    }
    run.skip(piece.count);
  }
  PortCounters& counters = counters_[static_cast<std::size_t>(port)];
  counters.accesses += wanted.count - run.count;
  counters.bytes += std::uint64_t{wanted.count - run.count} * wanted.bytes;
  return wanted.count - run.count;
}

}  // namespace tokencycle::memory
