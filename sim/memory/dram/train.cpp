// SPDX-License-Identifier: Apache-2.0
// Reads of open rows that come together into an idle channel: all their commands at once.
#include <array>

#include "memory/dram/controller.h"

namespace tokencycle::memory {

// Whether the bursts' rows are open, with nothing waiting and nothing that puts off their RD but other RD. An
// ACT or a write a short time ago would be what the data bus waits for: such reads are taken one by one.
bool DramController::takes_train(Clock first, std::span<const DramRequest> reads) const {
  if (!serves_trains_ || streaming_ || wake_ != kNoClock || waiting() != 0 || !refreshes_.empty())
    return false;
  if (banks_.may_put_off(DramCause::activation, DramCommand::read, first) ||
      banks_.may_put_off(DramCause::turnaround, DramCommand::read, first))
    return false;
  return reads.size() <= kLongestTrain && std::all_of(reads.begin(), reads.end(), [&](const DramRequest& r) {
           return !r.write && banks_.open_row(r.bank) == r.row;
         });
}

// A refresh comes behind the last command: what it does to the others is for advance().
bool DramController::serve_train(Clock now, std::span<const DramRequest> reads, Clock until) {
  const Clock first = now + 1;
  if (!takes_train(first, reads)) return false;
  const Clock start = std::max(first, bus_free_[use_of(DramCommand::read).bus]);
  std::array<DramTransfer, kLongestTrain> all;
  const std::span<DramTransfer> train(all.data(), reads.size());
  bool at_once = true;  // nothing but the reads themselves keeps them apart
  for (std::size_t i = 0; i < reads.size(); ++i) {
    train[i] = {std::max(start, banks_.earliest_of_bank(DramCommand::read, reads[i].bank)), &reads[i]};
    at_once = at_once && train[i].at == start;
  }
  TrainPattern& pattern = patterns_[reads.front().bank];
  if (!at_once) {
    put_in_order(train);
  } else if (pattern.is_of(reads)) {
    for (std::size_t n = 0; n < reads.size(); ++n)
      train[n] = {start + pattern.after[n], &reads[pattern.order[n]]};
  } else {
    put_in_order(train);
    pattern.count = reads.size();
    for (std::size_t n = 0; n < reads.size(); ++n) {
      pattern.banks[n] = reads[n].bank;
      pattern.order[n] = static_cast<std::uint8_t>(train[n].request - reads.data());
      pattern.after[n] = static_cast<std::uint32_t>(train[n].at - start);
    }
  }
  if (train.back().at > std::min(until, next_refresh_ - 1)) return false;
  give_train(train, first);
  return true;
}

// From when each RD could be given if it were the only one, to when they are.
void DramController::put_in_order(std::span<DramTransfer> train) const {
  // Ready first, of equals in the lowest bank, of one bank's the one that came first.
  const auto goes_first = [](const DramTransfer& a, const DramTransfer& b) {
    if (a.at != b.at) return a.at < b.at;
    return a.request->bank != b.request->bank ? a.request->bank < b.request->bank : a.request < b.request;
  };
  const std::uint32_t least = use_of(DramCommand::read).clocks;
  for (auto next = train.begin(); next != train.end(); ++next) {
    std::iter_swap(next, std::min_element(next, train.end(), goes_first));
    for (auto later = next + 1; later != train.end(); ++later) {
      const std::uint32_t gap = banks_.read_gap(next->request->bank, later->request->bank);
      later->at = std::max(later->at, next->at + std::max(gap, least));
    }
  }
}

// give() for each, and what tick() notes.
void DramController::give_train(std::span<const DramTransfer> train, Clock first) {
  constexpr DramCommand kRead = DramCommand::read;
  const Clock last = train.back().at;
  writing_ = false;
  chosen_ = 0;
  bus_free_[use_of(kRead).bus] = last + use_of(kRead).clocks;
  counters_.commands[static_cast<std::size_t>(kRead)] += train.size();
  counters_.reads += train.size();
  counters_.hits += train.size();
  if (transferred_ && wrote_) ++counters_.turnarounds;
  transferred_ = true;
  wrote_ = false;
  for (auto t = train.begin(); t != train.end(); ++t) {
    const std::uint32_t bank = t->request->bank;
    ++bank_counters_[bank].reads;
    ++bank_counters_[bank].hits;
    banks_.give_read(bank, t->at, std::any_of(t + 1, train.end(), [&](const DramTransfer& later) {
                       return banks_.share_rank(later.request->bank, bank);
                     }));
    scheduler_->served(bank, false);
  }
  if (tells_waits_ && last != first) note_wait(first, DramWait::bandwidth);
  listener_.transferred(train, device_.read_latency, device_.burst_clocks);
  if (tells_waits_) note_wait(last, DramWait::nothing);
}

}  // namespace tokencycle::memory
