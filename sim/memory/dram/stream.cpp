// SPDX-License-Identifier: Apache-2.0
// Reads of open rows, one after the other: the usual case by far.
#include <algorithm>

#include "memory/dram/controller.h"

namespace tokencycle::memory {

// From runs_hits() on, until something other than a read of an open row comes or writes have their turn: the
// reads are in stream_, and the banks as they were before it.
bool DramController::begin_stream() {
  if (!serves_streams_ || listener_.wants_commands()) return false;
  std::vector<std::uint32_t>& order = streamed_;
  order.clear();
  reads_.take_all(order);
  std::stable_sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
    return entries_[a].arrived < entries_[b].arrived;
  });
  stream_.begin(bus_free_[use_of(DramCommand::read).bus]);
  for (const std::uint32_t e : order) {
    stream_.push({entries_[e].request, entries_[e].arrived, entries_[e].begun, entries_[e].conflict});
    free_.push_back(e);
  }
  stream_.choose(wake_);
  first_tick_ = wake_;
  streaming_ = true;
  chosen_ = 0;
  return true;
}

void DramController::end_stream() {
  wake_ = std::min(first_tick_, stream_.next());
  bus_free_[use_of(DramCommand::read).bus] = stream_.bus_free();
  stream_.for_waiting([this](const HitStream::Read& read) {
    const std::uint32_t entry = free_.back();
    free_.pop_back();
    entries_[entry] = {read.request, read.arrived, kNoEntry, kNoEntry, read.begun, read.conflict};
    reads_.insert(entry);
  });
  stream_.give_to(banks_);
  streaming_ = false;
  chosen_ = 0;
  direction_set_ = kNoClock;
  first_tick_ = kNoClock;
}

// As accept() does; false if the stream does not take it. An empty one is there only while no write waits.
bool DramController::join_stream(Clock now, const DramRequest& request) {
  if (request.write || banks_.open_row(request.bank) != request.row) return false;
  if (stream_.size() == 0) first_tick_ = now + 1;
  stream_.push({request, now});
  wake_ = std::min(first_tick_, stream_.next());
  return true;
}

// All RD up to `until`, and what tick() notes.
void DramController::run_stream(Clock until) {
  for (;;) {
    const Clock at = stream_.next();
    if (first_tick_ <= until) {
      if (tells_waits_ && at > first_tick_) note_wait(first_tick_, DramWait::bandwidth);
      first_tick_ = kNoClock;
    }
    if (at > until) break;
    const HitStream::Read& read = stream_.give();
    const std::uint32_t bank = read.request.bank;
    ++counters_.commands[static_cast<std::size_t>(DramCommand::read)];
    if (!read.begun) {
      ++counters_.hits;
      ++bank_counters_[bank].hits;
    }
    if (transferred_ && wrote_) ++counters_.turnarounds;
    transferred_ = true;
    wrote_ = false;
    scheduler_->served(bank, false);
    listener_.transferred(DramTransfer{at, &read.request}, device_.read_latency, device_.burst_clocks);
    if (tells_waits_) note_wait(at, waiting() != 0 ? DramWait::bandwidth : DramWait::nothing);
    if (stream_.size() == 0 && waiting_writes_ != 0) {  // their turn
      end_stream();
      wake_ = at + 1;
      return;
    }
  }
  wake_ = std::min(first_tick_, stream_.next());
}

}  // namespace tokencycle::memory
