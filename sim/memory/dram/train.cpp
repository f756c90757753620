// SPDX-License-Identifier: Apache-2.0
// Reads of open rows that come together into an idle channel: all their commands at once.
#include <array>

#include "memory/dram/controller.h"

namespace tokencycle::memory {

// Whether the bursts' rows are open, with nothing waiting and nothing that puts off their RD but other RD. An
// ACT or a write a short time ago would be what the data bus waits for: such reads are taken one by one.
bool DramController::takes_train(Clock first, std::span<const DramRequest> reads) const {
  if (!serves_trains_ || wake_ != kNoClock || waiting() != 0 || !refreshes_.empty()) return false;
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
  const config::DramCommandUse use = use_of(DramCommand::read);
  const Clock start = std::max(first, bus_free_[use.bus]), end = std::min(until, next_refresh_ - 1);
  std::array<DramTransfer, kLongestTrain>
      train;  // [0, given) as they are given, behind that when they could be
  for (std::size_t i = 0; i < reads.size(); ++i) {
    train[i] = {std::max(start, banks_.earliest_of_bank(DramCommand::read, reads[i].bank)), &reads[i]};
  }
  // Ready first, of equals in the lowest bank, of one bank's the one that came first.
  const auto goes_first = [](const DramTransfer& a, const DramTransfer& b) {
    if (a.at != b.at) return a.at < b.at;
    return a.request->bank != b.request->bank ? a.request->bank < b.request->bank : a.request < b.request;
  };
  for (std::size_t given = 0; given < reads.size(); ++given) {
    std::size_t next = given;
    for (std::size_t i = given + 1; i < reads.size(); ++i) {
      if (goes_first(train[i], train[next])) next = i;
    }
    const DramTransfer read = train[next];
    if (read.at > end) return false;
    train[next] = train[given];
    train[given] = read;
    for (std::size_t i = given + 1; i < reads.size(); ++i) {
      const std::uint32_t gap = banks_.read_gap(read.request->bank, train[i].request->bank);
      train[i].at = std::max(train[i].at, read.at + std::max<std::uint32_t>(gap, use.clocks));
    }
  }
  give_train({train.data(), reads.size()}, first);
  return true;
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
    const std::uint32_t bank = t->request->bank, rank = banks_.rank_of(bank);
    ++bank_counters_[bank].reads;
    ++bank_counters_[bank].hits;
    banks_.give_read(bank, t->at, std::any_of(t + 1, train.end(), [&](const DramTransfer& later) {
                       return banks_.rank_of(later.request->bank) == rank;
                     }));
    scheduler_->served(bank, false);
  }
  if (tells_waits_ && last != first) note_wait(first, DramWait::bandwidth);
  listener_.transferred(train, device_.read_latency, device_.burst_clocks);
  if (tells_waits_) note_wait(last, DramWait::nothing);
}

}  // namespace tokencycle::memory
