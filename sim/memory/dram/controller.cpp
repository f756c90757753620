// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/controller.h"

namespace tokencycle::memory {

DramCounters& operator+=(DramCounters& sum, const DramCounters& more) {
  sum.reads += more.reads;
  sum.writes += more.writes;
  sum.forwarded += more.forwarded;
  sum.coalesced += more.coalesced;
  sum.hits += more.hits;
  sum.misses += more.misses;
  sum.conflicts += more.conflicts;
  sum.turnarounds += more.turnarounds;
  for (std::size_t i = 0; i < sum.commands.size(); ++i) sum.commands[i] += more.commands[i];
  return sum;
}

DramController::DramController(const config::DramSystem& system, DramListener& listener)
    : system_(system),
      device_(system_.device),
      queue_of_bank_(system_.queue_of == config::DramQueueOf::bank),
      listener_(listener),
      page_(policy::make_page_policy(system_)),
      banks_(device_, page_->uses_auto_precharge()),
      entries_((system_.read_queue + system_.write_queue) * (queue_of_bank_ ? banks_.count() : 1) +
               system_.activated_queue),
      reads_(entries_, banks_),
      writes_(entries_, banks_),
      activated_(entries_, banks_),
      scheduler_(policy::make_scheduler(system_, banks_.count())),
      refresh_(policy::make_refresh(system_)),
      selected_(reads_.words()),
      next_refresh_(refresh_->next()),
      tells_waits_(listener.wants_waits()),
      two_part_(device_.exists(DramCommand::activate_first)),
      data_clock_(device_.exists(DramCommand::sync_read)),
      auto_precharge_(page_->uses_auto_precharge()),
      transfers_first_(scheduler_->transfers_first()),
      serves_all_hits_(scheduler_->serves_all_hits()),
      plain_transfers_(!data_clock_ && !auto_precharge_),
      serves_trains_(serves_all_hits_ && plain_transfers_ && banks_.reads_follow_simply()),
      serves_streams_(serves_trains_ && !queue_of_bank_ && banks_.count() <= HitStream::kMostBanks),
      bank_counters_(banks_.count()),
      patterns_(banks_.count()),
      stream_(device_, banks_) {
  for (std::uint32_t e = 0; e < entries_.size(); ++e) free_.push_back(e);
  for (const DramCommand c :
       {DramCommand::read, DramCommand::read_auto, DramCommand::write, DramCommand::write_auto}) {
    if (device_.exists(c)) transfer_buses_ |= 1u << use_of(c).bus;
  }
  // Where times count from the second part of an activation it comes at once; from the first one it has half
  // of the time that the standard leaves, and the rest is for others that wait like it.
  const auto counts_from_second = [](const config::DramConstraint& c) {
    return c.before == DramCommand::activate && c.after == DramCommand::read;
  };
  if (std::none_of(device_.constraints.begin(), device_.constraints.end(), counts_from_second)) {
    for (const config::DramConstraint& c : device_.at_most) {
      if (c.before == DramCommand::activate_first) finish_activation_ = c.clocks / 2;
    }
  }
}

// --- queues
// -------------------------------------------------------------------------------------------------

// The bank's open row has changed.
void DramController::recount(std::uint32_t bank) {
  for (DramQueue* q : {&reads_, &writes_, &activated_}) q->recount(bank);
  scheduler_->row_changed(bank);
}

bool DramController::has_write(const DramRequest& r) const {
  if (waiting_writes_ == 0) return false;
  for (const DramQueue* q : {&writes_, &activated_}) {
    for (std::uint32_t e = q->of(r.bank).head; e != kNoEntry; e = entries_[e].next) {
      const DramRequest& waiting = entries_[e].request;
      if (waiting.write && waiting.row == r.row && waiting.column == r.column) return true;
    }
  }
  return false;
}

// A read finds its data in a waiting write; a second write to a burst replaces the first one's data.
bool DramController::forward_or_coalesce(Clock now, const DramRequest& r) {
  if (!has_write(r)) return false;
  ++(r.write ? counters_.coalesced : counters_.forwarded);
  listener_.completed(r.id, now + 1);
  return true;
}

void DramController::accept(Clock now, const DramRequest& request) {
  ++(request.write ? counters_.writes : counters_.reads);
  ++(request.write ? bank_counters_[request.bank].writes : bank_counters_[request.bank].reads);
  if (forward_or_coalesce(now, request)) return;
  if (streaming_) {
    if (join_stream(now, request)) return;
    end_stream();
  }
  waiting_writes_ += request.write ? 1 : 0;
  const std::uint32_t entry = free_.back();
  free_.pop_back();
  entries_[entry] = {request, now, kNoEntry, kNoEntry, false, false};
  DramQueue& queue = request.write ? writes_ : reads_;
  if (leaves_choices(queue, queue.insert(entry), now)) return;
  chosen_ = 0;
  direction_set_ = kNoClock;
  wake_ = std::min(wake_, now + 1);
}

// --- time
// ---------------------------------------------------------------------------------------------------

void DramController::advance_by_events(Clock until) {
  for (;;) {
    const Clock next = next_event();
    if (next > until) return;
    if (streaming_) {
      if (wake_ < next_refresh_ && !listener_.wants_commands()) {
        run_stream(std::min(until, next_refresh_ - 1));
      } else {
        end_stream();
      }
      continue;
    }
    if (runs_hits()) {
      if (!begin_stream()) run_hits(until);
      continue;
    }
    if (next == next_refresh_ && waiting() == 0 && refreshes_.empty()) skip_idle_refreshes(until);
    tick(std::min(next_event(), until));
  }
}

// With nothing to do and all banks closed, a refresh leaves no trace but its count.
void DramController::skip_idle_refreshes(Clock until) {
  if (listener_.wants_commands()) return;
  for (std::uint32_t r = 0; r < device_.ranks; ++r) {
    if (banks_.open_in_rank(r) != 0) return;
  }
  const std::uint64_t skipped = refresh_->skip(until);
  next_refresh_ = refresh_->next();
  counters_.commands[static_cast<std::size_t>(DramCommand::refresh_all)] += skipped * device_.ranks;
  banks_.skip_refreshes(skipped);
}

void DramController::due_refreshes() {
  refresh_->fall_due(refreshes_);
  next_refresh_ = refresh_->next();
  chosen_ = 0;
}

void DramController::tick(Clock t) {
  now_ = t;
  if (t == next_refresh_) due_refreshes();
  bool given = false, transfer = false;
  for (bus_ = 0; bus_ < device_.command_buses; ++bus_) {
    if ((chosen_ >> bus_ & 1) == 0) choose(bus_, t);
    if (choices_[bus_].at != t) continue;
    give(choices_[bus_]);
    transfer = transfer || is_transfer(choices_[bus_].command);
    chosen_ = 0;
    given = true;
  }
  if (tells_waits_) note_wait(t, transfer && waiting() != 0 ? DramWait::bandwidth : wait_at(t));
  wake_ = kNoClock;
  if (given) {
    if (waiting() != 0 || !refreshes_.empty()) wake_ = t + 1;
    return;
  }
  for (std::uint32_t b = 0; b < device_.command_buses; ++b) wake_ = std::min(wake_, choices_[b].at);
}

// --- giving
// -------------------------------------------------------------------------------------------------

void DramController::give(const Choice& choice) {
  const DramCommand command = choice.command;
  bus_free_[bus_] = choice.at + use_of(command).clocks;
  ++counters_.commands[static_cast<std::size_t>(command)];
  if (command == DramCommand::activate) ++bank_counters_[choice.bank].activations;
  if (choice.entry == kNoEntry) return give_refresh(choice);
  DramEntry& e = entries_[choice.entry];
  if (command == DramCommand::read && banks_.reads_follow_simply()) {
    banks_.give_read(choice.bank, choice.at, false);
  } else {
    banks_.give(command, choice.bank, e.request.row, choice.at);
  }
  listener_.commanded({choice.at, command, choice.bank, e.request.row, e.request.column});
  note_first_command(e, command);
  switch (command) {
    case DramCommand::read:
    case DramCommand::read_auto:
    case DramCommand::write:
    case DramCommand::write_auto:
      return finish_transfer(choice);
    case DramCommand::activate_first:
      halves_.push_back({choice.entry, choice.queue, choice.at});
      return;
    case DramCommand::activate:
      std::erase_if(halves_, [&](const Half& h) { return h.entry == choice.entry; });
      recount(choice.bank);
      if (choice.queue != &activated_ && activated_.size() < system_.activated_queue) {
        choice.queue->remove(choice.entry);
        activated_.insert(choice.entry);
      }
      return;
    case DramCommand::precharge:
      return recount(choice.bank);
    default:
      return;
  }
}

void DramController::give_refresh(const Choice& choice) {
  banks_.give(choice.command, choice.bank, kNoRow, choice.at);
  listener_.commanded({choice.at, choice.command, choice.bank, 0, 0});
  if (choice.command == DramCommand::refresh_all || choice.command == DramCommand::refresh_bank) {
    refreshes_.pop_front();
  } else if (choice.command == DramCommand::precharge_all) {
    const std::uint32_t first = banks_.rank_of(choice.bank) * banks_.of_rank();
    for (std::uint32_t b = first; b < first + banks_.of_rank(); ++b) recount(b);
  } else {
    recount(choice.bank);
  }
}

void DramController::note_first_command(DramEntry& e, DramCommand command) {
  if (e.begun) return;
  e.begun = true;
  DramBankCounters& of_bank = bank_counters_[e.request.bank];
  switch (command) {
    case DramCommand::activate_first:
    case DramCommand::activate:
      ++counters_.misses;
      ++of_bank.misses;
      return;
    case DramCommand::precharge:
      e.conflict = true;
      ++counters_.conflicts;
      ++of_bank.conflicts;
      return;
    default:
      ++counters_.hits;
      ++of_bank.hits;
      return;
  }
}

void DramController::finish_transfer(const Choice& choice) {
  const DramEntry& e = entries_[choice.entry];
  const std::uint64_t id = e.request.id;
  const bool write = e.request.write;
  scheduler_->served(choice.bank, choice.queue->of(choice.bank).head != choice.entry);
  const bool closed = banks_.open_row(choice.bank) == kNoRow;
  if (closed) recount(choice.bank);
  choice.queue->remove(choice.entry);
  free_.push_back(choice.entry);
  waiting_writes_ -= write ? 1 : 0;
  if (transferred_ && write != wrote_) ++counters_.turnarounds;
  transferred_ = true;
  wrote_ = write;
  const Clock end = choice.at + (write ? device_.write_latency : device_.read_latency);
  listener_.transferring(end - device_.burst_clocks, end, write);
  listener_.completed(id, write ? choice.at : end);
}

}  // namespace tokencycle::memory
