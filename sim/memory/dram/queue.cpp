// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/queue.h"

#include <algorithm>

namespace tokencycle::memory {

// An activated request may be older than those behind which it comes.
bool DramQueue::insert(std::uint32_t entry) {
  DramEntry& e = entries_[entry];
  const std::uint32_t bank = e.request.bank;
  List& list = lists_[bank];
  std::uint32_t previous = list.tail;
  while (previous != kNoEntry && entries_[previous].arrived > e.arrived)
    previous = entries_[previous].previous;
  e.previous = previous;
  e.next = previous == kNoEntry ? list.head : entries_[previous].next;
  (e.previous == kNoEntry ? list.head : entries_[e.previous].next) = entry;
  (e.next == kNoEntry ? list.tail : entries_[e.next].previous) = entry;
  ++list.size;
  ++size_;
  const bool hit = is_hit(entry);
  if (hit) ++list.hits;
  const std::uint32_t before = (hit ? list.hit : list.other).entry;
  if (before != kNoEntry && e.next == kNoEntry) return false;
  find_first(bank, hit, before == kNoEntry ? entry : list.head);
  return (hit ? list.hit : list.other).entry != before;
}

std::uint32_t DramQueue::fullest() const {
  std::uint32_t most = 0;
  for (const List& list : lists_) most = std::max(most, list.size);
  return most;
}

void DramQueue::remove(std::uint32_t entry) {
  const DramEntry& e = entries_[entry];
  const std::uint32_t bank = e.request.bank;
  List& list = lists_[bank];
  (e.previous == kNoEntry ? list.head : entries_[e.previous].next) = e.next;
  (e.next == kNoEntry ? list.tail : entries_[e.next].previous) = e.previous;
  --list.size;
  --size_;
  const bool hit = is_hit(entry);
  if (hit) --list.hits;
  if ((hit ? list.hit : list.other).entry == entry) find_first(bank, hit, e.next);
}

void DramQueue::take_all(std::vector<std::uint32_t>& taken) {
  for (List& list : lists_) {
    for (std::uint32_t e = list.head; e != kNoEntry; e = entries_[e].next) taken.push_back(e);
    list = {};
  }
  std::fill(hits_.begin(), hits_.end(), 0);
  std::fill(others_.begin(), others_.end(), 0);
  size_ = 0;
}

// The oldest hit or other from this entry on, of which no older one is left.
void DramQueue::find_first(std::uint32_t bank, bool hit, std::uint32_t from) {
  const List& list = lists_[bank];
  const std::uint32_t of_kind = hit ? list.hits : list.size - list.hits;
  if (of_kind == 0) {
    from = kNoEntry;
  } else if (of_kind != list.size) {
    while (is_hit(from) != hit) from = entries_[from].next;
  }
  First& first = hit ? lists_[bank].hit : lists_[bank].other;
  std::uint64_t& word = (hit ? hits_ : others_)[bank / 64];
  const std::uint64_t bit = std::uint64_t{1} << (bank % 64);
  if (from == kNoEntry) {
    first = {};
    word &= ~bit;
  } else {
    first = {from, entries_[from].arrived};
    word |= bit;
  }
}

void DramQueue::recount(std::uint32_t bank) {
  List& list = lists_[bank];
  if (list.size == 0) return;
  list.hits = 0;
  for (std::uint32_t e = list.head; e != kNoEntry; e = entries_[e].next) {
    if (is_hit(e)) ++list.hits;
  }
  find_first(bank, true, list.head);
  find_first(bank, false, list.head);
}

}  // namespace tokencycle::memory
