// SPDX-License-Identifier: Apache-2.0
// Requests that wait in a DRAM channel's controller, by bank and in order of arrival.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "memory/dram/listener.h"

namespace tokencycle::memory {

inline constexpr std::uint32_t kNoEntry = ~0u;

struct DramEntry {
  DramRequest request;
  Clock arrived = 0;
  std::uint32_t next = kNoEntry, previous = kNoEntry;  // in its bank's list, oldest first
  bool begun = false;                                  // a command was given for it
  bool conflict = false;                               // and it was a precharge

  template <class Archive>
  void serialize(Archive& state) {
    state(request, arrived, next, previous, begun, conflict);
  }
};

// Entries lie in a pool that several queues share; each is in at most one of them.
class DramQueue {
 public:
  struct First {
    std::uint32_t entry = kNoEntry;
    Clock arrived = 0;
    template <class Archive>
    void serialize(Archive& state) {
      state(entry, arrived);
    }
  };
  // All hits of a bank are ready at the same time, and so are all others: the oldest of each will do.
  struct List {
    std::uint32_t head = kNoEntry, tail = kNoEntry, size = 0;
    std::uint32_t hits = 0;  // entries for the open row
    First hit, other;        // the oldest for the open row, for another row or none open
    template <class Archive>
    void serialize(Archive& state) {
      state(head, tail, size, hits, hit, other);
    }
  };

  DramQueue(std::vector<DramEntry>& entries, const DramBanks& banks)
      : entries_(entries),
        banks_(banks),
        lists_(banks.count()),
        hits_((banks.count() + 63) / 64),
        others_(hits_.size()) {}

  std::uint32_t size() const { return size_; }
  std::uint32_t fullest() const;  // the most entries of a bank
  const List& of(std::uint32_t bank) const { return lists_[bank]; }
  // The bank's oldest; not of an empty list.
  First head(std::uint32_t bank) const { return {lists_[bank].head, entries_[lists_[bank].head].arrived}; }
  // Banks with hits and with others, a bit each: words of 64.
  std::size_t words() const { return hits_.size(); }
  std::uint64_t hits(std::size_t word) const { return hits_[word]; }
  std::uint64_t others(std::size_t word) const { return others_[word]; }
  bool has_others() const {
    return std::any_of(others_.begin(), others_.end(), [](std::uint64_t banks) { return banks != 0; });
  }

  // Returns whether it comes first of its bank's hits or others.
  bool insert(std::uint32_t entry);
  void remove(std::uint32_t entry);
  // Appends all entries, bank by bank, and leaves none.
  void take_all(std::vector<std::uint32_t>& entries);
  // The bank's open row has changed.
  void recount(std::uint32_t bank);

  template <class Archive>
  void serialize(Archive& state) {
    state(lists_, hits_, others_, size_);
  }

 private:
  bool is_hit(std::uint32_t entry) const {
    const DramRequest& r = entries_[entry].request;
    return r.row == banks_.open_row(r.bank);
  }
  void find_first(std::uint32_t bank, bool hit, std::uint32_t from);

  std::vector<DramEntry>& entries_;
  const DramBanks& banks_;
  std::vector<List> lists_;
  std::vector<std::uint64_t> hits_, others_;
  std::uint32_t size_ = 0;
};

}  // namespace tokencycle::memory
