// SPDX-License-Identifier: Apache-2.0
#include "memory/dram_controller.h"

#include <bit>

namespace tokencycle::memory {

using config::DramPagePolicy;
using config::DramRefresh;
using config::DramScheduler;

DramController::DramController(const config::DramSystem& system, DramListener& listener)
    : system_(system), device_(system_.device), listener_(listener), banks_(device_) {
  entries_.resize(system_.read_queue + system_.write_queue + system_.activated_queue);
  for (std::uint32_t e = 0; e < entries_.size(); ++e) free_.push_back(e);
  for (Queue* q : {&reads_, &writes_, &activated_}) {
    q->banks.resize(banks_.count());
    q->waiting.resize((banks_.count() + 63) / 64);
  }
  hits_past_.resize(banks_.count());
  // Half of the time that the standard leaves for the second part: the rest is for others that wait like it.
  for (const config::DramConstraint& c : device_.at_most) {
    if (c.before == DramCommand::activate_first) finish_activation_ = c.clocks / 2;
  }
  if (system_.refresh == DramRefresh::all_bank) next_refresh_ = device_.refresh_interval;
  if (system_.refresh == DramRefresh::per_bank) next_refresh_ = device_.bank_refresh_interval;
}

// --- queues
// -------------------------------------------------------------------------------------------------

// Lists are in order of arrival; an activated request may be older than those behind which it comes.
void DramController::insert(Queue& queue, std::uint32_t entry) {
  Entry& e = entries_[entry];
  List& list = queue.banks[e.request.bank];
  std::uint32_t previous = list.tail;
  while (previous != kNone && entries_[previous].arrived > e.arrived) previous = entries_[previous].previous;
  e.previous = previous;
  e.next = previous == kNone ? list.head : entries_[previous].next;
  (e.previous == kNone ? list.head : entries_[e.previous].next) = entry;
  (e.next == kNone ? list.tail : entries_[e.next].previous) = entry;
  ++list.size;
  ++queue.size;
  if (e.request.row == banks_.open_row(e.request.bank)) ++list.hits;
  queue.waiting[e.request.bank / 64] |= std::uint64_t{1} << (e.request.bank % 64);
}

void DramController::remove(Queue& queue, std::uint32_t entry) {
  const Entry& e = entries_[entry];
  List& list = queue.banks[e.request.bank];
  (e.previous == kNone ? list.head : entries_[e.previous].next) = e.next;
  (e.next == kNone ? list.tail : entries_[e.next].previous) = e.previous;
  --list.size;
  --queue.size;
  if (e.request.row == banks_.open_row(e.request.bank)) --list.hits;
  if (list.size == 0) queue.waiting[e.request.bank / 64] &= ~(std::uint64_t{1} << (e.request.bank % 64));
}

// The bank's open row has changed.
void DramController::recount(std::uint32_t bank) {
  const std::uint32_t row = banks_.open_row(bank);
  for (Queue* q : {&reads_, &writes_, &activated_}) {
    List& list = q->banks[bank];
    list.hits = 0;
    if (row == kNoRow) continue;
    for (std::uint32_t e = list.head; e != kNone; e = entries_[e].next) {
      if (entries_[e].request.row == row) ++list.hits;
    }
  }
  hits_past_[bank] = 0;
}

// A read finds its data in a waiting write; a second write to a burst replaces the first one's data.
bool DramController::forward_or_coalesce(Clock now, const DramRequest& r) {
  for (const Queue* q : {&writes_, &activated_}) {
    for (std::uint32_t e = q->banks[r.bank].head; e != kNone; e = entries_[e].next) {
      const DramRequest& waiting = entries_[e].request;
      if (!waiting.write || waiting.row != r.row || waiting.column != r.column) continue;
      ++(r.write ? counters_.coalesced : counters_.forwarded);
      listener_.completed(r.id, now + 1);
      return true;
    }
  }
  return false;
}

void DramController::accept(Clock now, const DramRequest& request) {
  ++(request.write ? counters_.writes : counters_.reads);
  if (writes_.size + activated_.size != 0 && forward_or_coalesce(now, request)) return;
  const std::uint32_t entry = free_.back();
  free_.pop_back();
  entries_[entry] = {request, now, kNone, kNone, false};
  insert(request.write ? writes_ : reads_, entry);
  chosen_ = 0;
  wake_ = std::min(wake_, now + 1);
}

// --- time
// ---------------------------------------------------------------------------------------------------

void DramController::advance(Clock until) {
  for (;;) {
    const Clock next = next_event();
    if (next > until) return;
    if (next == next_refresh_ && waiting() == 0 && refreshes_.empty()) skip_idle_refreshes(until);
    tick(std::min(next_event(), until));
  }
}

// With nothing to do and all banks closed, a refresh leaves no trace but its count.
void DramController::skip_idle_refreshes(Clock until) {
  if (system_.refresh != DramRefresh::all_bank || listener_.wants_commands()) return;
  for (std::uint32_t r = 0; r < device_.ranks; ++r) {
    if (banks_.open_in_rank(r) != 0) return;
  }
  const Clock interval = device_.refresh_interval;
  if (until - next_refresh_ < 3 * interval) return;
  const Clock skipped = (until - next_refresh_) / interval - 1;
  next_refresh_ += skipped * interval;
  counters_.commands[static_cast<std::size_t>(DramCommand::refresh_all)] += skipped * device_.ranks;
}

void DramController::due_refreshes() {
  for (std::uint32_t r = 0; r < device_.ranks; ++r)
    refreshes_.push_back(r * banks_.of_rank() + refresh_turn_);
  if (system_.refresh == DramRefresh::per_bank) {
    refresh_turn_ = (refresh_turn_ + 1) % (banks_.of_rank() / device_.refresh_reach);
    next_refresh_ += device_.bank_refresh_interval;
  } else {
    next_refresh_ += device_.refresh_interval;
  }
  chosen_ = 0;
}

void DramController::tick(Clock t) {
  now_ = t;
  if (t == next_refresh_) due_refreshes();
  direction_set_ = false;
  bool given = false;
  for (bus_ = 0; bus_ < device_.command_buses; ++bus_) {
    if ((chosen_ >> bus_ & 1) == 0) choose(bus_, t);
    if (choices_[bus_].at != t) continue;
    give(choices_[bus_]);
    chosen_ = 0;
    given = true;
  }
  wake_ = kNoClock;
  if (given) {
    if (waiting() != 0 || !refreshes_.empty()) wake_ = t + 1;
    return;
  }
  for (std::uint32_t b = 0; b < device_.command_buses; ++b) wake_ = std::min(wake_, choices_[b].at);
}

// --- choosing
// -----------------------------------------------------------------------------------------------

// Postponed refreshes wait for an idle queue until more are owed than may be.
bool DramController::refresh_pressing() const {
  if (refreshes_.empty()) return false;
  return waiting() == 0 || refreshes_.size() > std::size_t{system_.postpone} * device_.ranks;
}

void DramController::choose(std::uint32_t bus, Clock t) {
  Choice& best = choices_[bus];
  best = {};
  chosen_ |= 1u << bus;
  if (!halves_.empty() && (refresh_pressing() || t >= halves_.front().since + finish_activation_)) {
    return consider_entry(*halves_.front().queue, halves_.front().entry, best);
  }
  choose_from(activated_, best);
  if (best.at == t) return;
  if (refresh_pressing()) return choose_refresh(best);
  set_direction();
  Choice other;
  Queue& current = writing_ ? writes_ : reads_;
  if (!halves_.empty() && halves_.front().queue != &current) {
    return consider_entry(*halves_.front().queue, halves_.front().entry, best = {});
  }
  choose_from(current, other);
  if (other.at < best.at) best = other;
}

// Writes wait until they are many or nothing is read.
void DramController::set_direction() {
  if (direction_set_) return;
  direction_set_ = true;
  const bool before = writing_;
  if (!writing_) {
    writing_ = writes_.size > system_.write_high * system_.write_queue || reads_.size == 0;
  } else if (writes_.size < system_.write_low * system_.write_queue && reads_.size != 0) {
    writing_ = false;
  }
  if (writing_ != before) ++counters_.turnarounds;
}

void DramController::choose_from(Queue& queue, Choice& best) const {
  if (queue.size == 0) return;
  if (system_.scheduler == DramScheduler::fcfs && &queue != &activated_) return consider_oldest(queue, best);
  for (std::size_t w = 0; w < queue.waiting.size(); ++w) {
    for (std::uint64_t banks = queue.waiting[w]; banks != 0; banks &= banks - 1) {
      consider_bank(queue, static_cast<std::uint32_t>(w * 64 + std::countr_zero(banks)), best);
    }
  }
}

void DramController::consider_oldest(Queue& queue, Choice& best) const {
  std::uint32_t oldest = kNone;
  for (std::size_t w = 0; w < queue.waiting.size(); ++w) {
    for (std::uint64_t banks = queue.waiting[w]; banks != 0; banks &= banks - 1) {
      const std::uint32_t head = queue.banks[w * 64 + std::countr_zero(banks)].head;
      if (oldest == kNone || entries_[head].arrived < entries_[oldest].arrived) oldest = head;
    }
  }
  consider_entry(queue, oldest, best);
}

void DramController::consider_entry(Queue& queue, std::uint32_t entry, Choice& best) const {
  const std::uint32_t bank = entries_[entry].request.bank, row = banks_.open_row(bank);
  if (row == kNoRow) {
    const bool half = banks_.half_activated(bank),
               first = device_.exists(DramCommand::activate_first) && !half;
    if (half && std::none_of(halves_.begin(), halves_.end(), [&](const Half& h) { return h.entry == entry; }))
      return;
    const DramCommand c = first ? DramCommand::activate_first : DramCommand::activate;
    consider(queue, entry, c, banks_.earliest(c, bank), best);
  } else if (row == entries_[entry].request.row) {
    consider_hit(queue, entry, best);
  } else if (activated_.banks[bank].size == 0) {  // a row opened for a request stays open for it
    consider(queue, entry, DramCommand::precharge, banks_.earliest(DramCommand::precharge, bank), best);
  }
}

// All hits of a bank are ready at the same time, and so are all conflicts: the oldest of each will do.
void DramController::consider_bank(Queue& queue, std::uint32_t bank, Choice& best) const {
  const List& list = queue.banks[bank];
  const std::uint32_t row = banks_.open_row(bank);
  if (row == kNoRow) return consider_entry(queue, list.head, best);
  std::uint32_t hit = kNone, conflict = kNone;
  if (list.hits > 0) {
    for (hit = list.head; entries_[hit].request.row != row;) hit = entries_[hit].next;
  }
  if (list.hits < list.size) {
    for (conflict = list.head; entries_[conflict].request.row == row;) conflict = entries_[conflict].next;
  }
  if (hit != kNone && !hits_are_capped(queue, hit, conflict)) consider_entry(queue, hit, best);
  if (conflict != kNone) consider_entry(queue, conflict, best);
}

bool DramController::hits_are_capped(const Queue& queue, std::uint32_t hit, std::uint32_t conflict) const {
  if (system_.scheduler != DramScheduler::fr_fcfs_cap || conflict == kNone || &queue == &activated_)
    return false;
  return entries_[conflict].arrived < entries_[hit].arrived &&
         hits_past_[entries_[hit].request.bank] >= system_.row_hit_cap;
}

// The last waiting request for a row closes it, if the page policy says so.
DramCommand DramController::transfer_of(const Entry& e) const {
  const std::uint32_t bank = e.request.bank;
  const List &r = reads_.banks[bank], &w = writes_.banks[bank], &a = activated_.banks[bank];
  const bool last = r.hits + w.hits + a.hits == 1;
  const bool other_rows = r.hits + w.hits + a.hits < r.size + w.size + a.size;
  const bool closes = last && (system_.page_policy == DramPagePolicy::closed ||
                               (system_.page_policy == DramPagePolicy::adaptive && other_rows));
  if (e.request.write) return closes ? DramCommand::write_auto : DramCommand::write;
  return closes ? DramCommand::read_auto : DramCommand::read;
}

void DramController::consider_hit(Queue& queue, std::uint32_t entry, Choice& best) const {
  const Entry& e = entries_[entry];
  const DramCommand transfer = transfer_of(e);
  const Clock ready = banks_.earliest(transfer, e.request.bank);
  if (device_.exists(DramCommand::sync_read)) {
    const Clock until = banks_.synchronised_until(banks_.rank_of(e.request.bank));
    if (std::max(ready, now_) > until) {
      const DramCommand sync = e.request.write ? DramCommand::sync_write : DramCommand::sync_read;
      return consider(queue, entry, sync, std::max(banks_.earliest(sync, e.request.bank), until + 1), best);
    }
  }
  consider(queue, entry, transfer, ready, best);
}

// The first clock in which the bus can take a command that may come from `earliest` on.
Clock DramController::start_of(Clock earliest) const {
  return std::max({now_, bus_free_[bus_], earliest});
}

void DramController::consider(Queue& queue, std::uint32_t entry, DramCommand command, Clock earliest,
                              Choice& best) const {
  if (use_of(command).bus != bus_) return;
  const Entry& e = entries_[entry];
  const Clock at = start_of(earliest);
  if (at > best.at || (at == best.at && e.arrived >= best.arrived)) return;
  best = {at, e.arrived, command, entry, e.request.bank, &queue};
}

// The oldest refresh, or a precharge that it needs; it does not close rows opened for a request.
void DramController::choose_refresh(Choice& best) const {
  const std::uint32_t bank = refreshes_.front(), rank = banks_.rank_of(bank);
  const bool all = system_.refresh == DramRefresh::all_bank;
  DramCommand command = all ? DramCommand::refresh_all : DramCommand::refresh_bank;
  std::uint32_t at_bank = bank;
  if (all) {
    if (banks_.open_in_rank(rank) != 0) command = DramCommand::precharge_all;
    for (std::uint32_t b = 0; b < banks_.of_rank(); ++b) {
      if (activated_.banks[rank * banks_.of_rank() + b].size != 0) return;
    }
  } else {
    for (std::uint32_t i = 0; i < banks_.reach(); ++i) {
      const std::uint32_t reached = banks_.reached(bank, i);
      if (activated_.banks[reached].size != 0) return;
      if (banks_.open_row(reached) == kNoRow) continue;
      command = DramCommand::precharge;
      at_bank = reached;
    }
  }
  if (use_of(command).bus != bus_) return;
  const Clock at = start_of(banks_.earliest(command, at_bank));
  if (at < best.at) best = {at, 0, command, kNone, at_bank, nullptr};
}

// --- giving
// -------------------------------------------------------------------------------------------------

void DramController::give(const Choice& choice) {
  const DramCommand command = choice.command;
  bus_free_[bus_] = choice.at + use_of(command).clocks;
  ++counters_.commands[static_cast<std::size_t>(command)];
  if (choice.entry == kNone) return give_refresh(choice);
  Entry& e = entries_[choice.entry];
  banks_.give(command, choice.bank, e.request.row, choice.at);
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
      if (choice.queue != &activated_ && activated_.size < system_.activated_queue) {
        remove(*choice.queue, choice.entry);
        insert(activated_, choice.entry);
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

void DramController::note_first_command(Entry& e, DramCommand command) {
  if (e.begun) return;
  e.begun = true;
  switch (command) {
    case DramCommand::activate_first:
    case DramCommand::activate:
      ++counters_.misses;
      return;
    case DramCommand::precharge:
      ++counters_.conflicts;
      return;
    default:
      ++counters_.hits;
      return;
  }
}

void DramController::finish_transfer(const Choice& choice) {
  const Entry& e = entries_[choice.entry];
  const std::uint64_t id = e.request.id;
  const bool write = e.request.write;
  const List& list = choice.queue->banks[choice.bank];
  // A hit that overtakes an older request to another row.
  if (list.head != choice.entry) ++hits_past_[choice.bank];
  const bool closed = banks_.open_row(choice.bank) == kNoRow;
  if (closed) recount(choice.bank);
  remove(*choice.queue, choice.entry);
  free_.push_back(choice.entry);
  listener_.completed(id, write ? choice.at : choice.at + device_.read_latency);
}

}  // namespace tokencycle::memory
