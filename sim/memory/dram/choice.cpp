// SPDX-License-Identifier: Apache-2.0
// Which command a bus gives next.
#include <bit>

#include "memory/dram/controller.h"

namespace tokencycle::memory {

namespace {

template <class Visit>
void for_each_bit(std::uint64_t bits, Visit visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<std::uint32_t>(std::countr_zero(bits)));
}

}  // namespace

// --- before the choice ------------------------------------------------------------------------------

// Postponed refreshes wait for an idle queue until more are owed than may be.
bool DramController::refresh_pressing() const {
  if (refreshes_.empty()) return false;
  return waiting() == 0 || refreshes_.size() > std::size_t{system_.postpone} * device_.ranks;
}

// Writes wait until they are many or nothing is read.
bool DramController::next_direction() const {
  if (!writing_ && writes_.size() == 0) return reads_.size() == 0;
  if (!writing_) return used(writes_) > system_.write_high * system_.write_queue || reads_.size() == 0;
  const bool drained = writes_.size() == 0 || used(writes_) < system_.write_low * system_.write_queue;
  return !drained || reads_.size() == 0;
}

void DramController::set_direction() {
  if (direction_set_ == now_) return;
  direction_set_ = now_;
  writing_ = next_direction();
}

// Whether a request put into `queue` in clock `now` leaves everything as it was chosen. `first_of_kind`: no
// older one of its bank is in the same case.
bool DramController::leaves_choices(const DramQueue& queue, bool first_of_kind, Clock now) {
  if (chosen_ != (1u << device_.command_buses) - 1) return false;
  for (std::uint32_t b = 0; b < device_.command_buses; ++b) {
    if (directions_[b] != writing_) return false;
  }
  if (!refreshes_.empty() || !halves_.empty() || next_direction() != writing_) return false;
  // Other policies look at all requests of a bank before they close its row.
  if (auto_precharge_) return false;
  if (first_of_kind && &queue == (writing_ ? &writes_ : &reads_)) return false;
  direction_set_ = now + 1;  // where the request is seen
  return true;
}

// --- the choice -------------------------------------------------------------------------------------

void DramController::choose(std::uint32_t bus, Clock t) {
  Choice& best = choices_[bus];
  best = transfers_[bus] = {};
  chosen_ |= 1u << bus;
  start_ = std::max(t, bus_free_[bus]);
  const bool pressing = refresh_pressing();
  if (!halves_.empty() && (pressing || t >= halves_.front().since + finish_activation_)) {
    return consider_entry(*halves_.front().queue, halves_.front().entry, best);
  }
  choose_opened(best);
  if (best.at == t) return;
  if (pressing) return choose_refresh(best);
  set_direction();
  directions_[bus] = writing_;
  DramQueue& current = writing_ ? writes_ : reads_;
  if (!halves_.empty() && halves_.front().queue != &current) {
    return consider_entry(*halves_.front().queue, halves_.front().entry, best = {});
  }
  Choice other;
  other.at = best.at;  // at the same clock, requests whose row has been opened come first
  other.arrived = 0;
  choose_from(current, other);
  if (other.entry != kNoEntry) best = other;
}

// Requests for which their row has been opened: all are hits, since nothing else closes it.
void DramController::choose_opened(Choice& best) {
  if (activated_.size() == 0) return;
  for (std::size_t w = 0; w < activated_.words(); ++w) choose_hits(activated_, w, activated_.hits(w), best);
}

// The transfers of the oldest hit of each of these banks.
void DramController::choose_hits(DramQueue& queue, std::size_t word, std::uint64_t banks, Choice& best) {
  if (banks == 0 || !carries_transfers(bus_)) return;
  // Where all are the same command, what consider_hit() does for one after the other is the first of them.
  const bool mixed = &queue == &activated_ && waiting_writes_ != 0;
  if (!plain_transfers_ || mixed) {
    return for_each_bit(banks, [&](std::uint32_t i) {
      consider_hit(queue, queue.of(static_cast<std::uint32_t>(word * 64) + i).hit.entry, best);
    });
  }
  const DramCommand transfer = &queue == &writes_ ? DramCommand::write : DramCommand::read;
  if (use_of(transfer).bus != bus_) return;
  Choice first;
  first.command = transfer;
  first.queue = &queue;
  choose_first(word, banks, &DramQueue::List::hit, first);
  note_transfer(queue, first.entry, transfer, first.at);
  take(first, best);
}

// The same command for each of these banks, which `first` has with its queue: the bank that is ready first,
// of equals that with the oldest request of the kind, then the lowest. The innermost loop of a choice: in
// line, so that command and kind are constants.
[[gnu::always_inline]] inline void DramController::choose_first(std::size_t word, std::uint64_t banks,
                                                                DramQueue::First DramQueue::List::*kind,
                                                                Choice& first) const {
  const DramQueue& queue = *first.queue;
  Clock at = first.at, arrived = first.arrived;
  std::uint32_t found = banks_.count();
  for_each_bit(banks, [&](std::uint32_t i) {
    const std::uint32_t bank = static_cast<std::uint32_t>(word * 64) + i;
    const Clock ready = std::max(start_, banks_.earliest_of_bank(first.command, bank));
    if (ready > at) return;
    const Clock since = (queue.of(bank).*kind).arrived;
    if (ready == at && since >= arrived) return;
    at = ready;
    arrived = since;
    found = bank;
  });
  if (found == banks_.count()) return;
  first.at = at;
  first.arrived = arrived;
  first.bank = found;
  first.entry = (queue.of(found).*kind).entry;
}

// --- reads of open rows alone -------------------------------------------------------------------------

// The usual case by far: then the commands are one RD after the other, and what tick() and choose() look at
// comes down to the first hit of each bank; writes may wait for their turn meanwhile. Long enough behind the
// last ACT and the last write the data bus waits for its turn alone.
bool DramController::runs_hits() const {
  return serves_all_hits_ && plain_transfers_ && !writing_ && reads_.size() != 0 && activated_.size() == 0 &&
         !next_direction() && wake_ < next_refresh_ && refreshes_.empty() && halves_.empty() &&
         !reads_.has_others() && !banks_.may_put_off(DramCause::activation, DramCommand::read, wake_) &&
         !banks_.may_put_off(DramCause::turnaround, DramCommand::read, wake_);
}

// Ticks from wake_ on, up to `until` and the next refresh.
void DramController::run_hits(Clock until) {
  bus_ = use_of(DramCommand::read).bus;
  const Clock last = std::min(until, next_refresh_ - 1);
  for (Clock t = wake_; t <= last; t = wake_) {
    if (chosen_ == 0) choose_run(t);
    const Choice& hit = choices_[bus_];
    const bool transfer = hit.at == t;
    if (transfer) {
      give(hit);
      chosen_ = 0;
    }
    const bool more = reads_.size() != 0;
    if (tells_waits_) note_wait(t, waiting() != 0 ? DramWait::bandwidth : DramWait::nothing);
    // What comes next is chosen at once; a request that makes a difference asks for another choice.
    if (transfer && more) choose_run(t + 1);
    wake_ = more ? choices_[bus_].at : kNoClock;
    if (more) continue;
    if (waiting() != 0) wake_ = t + 1;  // the writes' turn
    return;
  }
}

void DramController::choose_run(Clock t) {
  start_ = std::max(t, bus_free_[bus_]);
  Choice first;
  first.command = DramCommand::read;
  first.queue = &reads_;
  for (std::size_t w = 0; w < reads_.words(); ++w)
    choose_first(w, reads_.hits(w), &DramQueue::List::hit, first);
  choices_ = transfers_ = {};
  choices_[bus_] = transfers_[bus_] = first;
  directions_ = {};
  direction_set_ = t;
  chosen_ = (1u << device_.command_buses) - 1;
}

void DramController::choose_from(DramQueue& queue, Choice& best) {
  if (queue.size() == 0 || (!carries_transfers(bus_) && !queue.has_others())) return;
  const std::size_t words = queue.words();
  for (std::size_t w = 0; w < words; ++w) selected_[w] = {queue.hits(w), queue.others(w)};
  scheduler_->select(queue, selected_);
  for (std::size_t w = 0; w < words; ++w) {
    choose_hits(queue, w, selected_[w].hits, best);
    if (!transfers_first_) choose_row_commands(queue, w, best);
  }
  if (!transfers_first_) return;
  Choice row;
  row.at = best.at;  // at the same clock, transfers come first
  row.arrived = 0;
  for (std::size_t w = 0; w < words; ++w) choose_row_commands(queue, w, row);
  if (row.entry != kNoEntry) best = row;
}

void DramController::choose_row_commands(DramQueue& queue, std::size_t word, Choice& best) {
  const std::uint64_t others = selected_[word].others, open = banks_.open_banks(word);
  if (others == 0) return;
  if (two_part_) {
    for_each_bit(others & ~open, [&](std::uint32_t i) {
      consider_activation(queue, queue.of(static_cast<std::uint32_t>(word * 64) + i).other.entry, best);
    });
  } else {
    consider_all(queue, word, others & ~open, DramCommand::activate, best);
  }
  // A row opened for a request stays open for it.
  consider_all(queue, word, others & open & ~activated_.hits(word), DramCommand::precharge, best);
}

// The same command for each of these banks.
void DramController::consider_all(DramQueue& queue, std::size_t word, std::uint64_t banks,
                                  DramCommand command, Choice& best) {
  if (banks == 0 || use_of(command).bus != bus_) return;
  Choice first;
  first.command = command;
  first.queue = &queue;
  choose_first(word, banks, &DramQueue::List::other, first);
  take(first, best);
}

void DramController::consider_entry(DramQueue& queue, std::uint32_t entry, Choice& best) {
  const DramRequest& r = entries_[entry].request;
  const std::uint32_t row = banks_.open_row(r.bank);
  if (row == kNoRow) return consider_activation(queue, entry, best);
  if (row == r.row) return consider_hit(queue, entry, best);
  consider_conflict(queue, entry, best);
}

void DramController::consider_activation(DramQueue& queue, std::uint32_t entry, Choice& best) {
  DramCommand command = DramCommand::activate;
  if (two_part_) {
    if (!banks_.half_activated(entries_[entry].request.bank)) {
      command = DramCommand::activate_first;
    } else if (std::none_of(halves_.begin(), halves_.end(),
                            [&](const Half& h) { return h.entry == entry; })) {
      return;
    }
  }
  consider(queue, entry, command, best);
}

void DramController::consider_conflict(DramQueue& queue, std::uint32_t entry, Choice& best) {
  // A row opened for a request stays open for it.
  if (activated_.of(entries_[entry].request.bank).size == 0) {
    consider(queue, entry, DramCommand::precharge, best);
  }
}

DramCommand DramController::transfer_of(const DramEntry& e) const {
  const bool write = e.request.write;
  if (!auto_precharge_) return write ? DramCommand::write : DramCommand::read;
  const std::uint32_t bank = e.request.bank;
  const DramQueue::List &r = reads_.of(bank), &w = writes_.of(bank), &a = activated_.of(bank);
  const std::uint32_t same_row = r.hits + w.hits + a.hits;
  const bool closes = page_->closes(same_row, r.size + w.size + a.size - same_row);
  if (write) return closes ? DramCommand::write_auto : DramCommand::write;
  return closes ? DramCommand::read_auto : DramCommand::read;
}

void DramController::consider_hit(DramQueue& queue, std::uint32_t entry, Choice& best) {
  const DramEntry& e = entries_[entry];
  const DramCommand transfer = transfer_of(e);
  if (use_of(transfer).bus != bus_) return;
  const std::uint32_t bank = e.request.bank;
  const Clock ready = std::max(start_, banks_.earliest_of_bank(transfer, bank));
  if (data_clock_) {
    const Clock until = banks_.synchronised_until(banks_.rank_of(bank));
    if (std::max(now_, banks_.earliest_of_bank(transfer, bank)) > until) {
      const DramCommand sync = e.request.write ? DramCommand::sync_write : DramCommand::sync_read;
      const Clock at = std::max({start_, banks_.earliest(sync, bank), until + 1});
      note_transfer(queue, entry, sync, std::max(ready, at + use_of(sync).clocks));
      return take({at, e.arrived, sync, entry, bank, &queue}, best);
    }
  }
  note_transfer(queue, entry, transfer, ready);
  take({ready, e.arrived, transfer, entry, bank, &queue}, best);
}

// `at`: where it can be transferred if `command`, its next one, is given as soon as possible.
void DramController::note_transfer(DramQueue& queue, std::uint32_t entry, DramCommand command, Clock at) {
  if (!tells_waits_) return;
  Choice& first = transfers_[bus_];
  if (at > first.at) return;
  const DramEntry& e = entries_[entry];
  // Among equals as commands are chosen: requests whose row was opened for them, then the oldest.
  if (at == first.at && (first.queue != &queue || e.arrived >= first.arrived)) return;
  first = {at, e.arrived, command, entry, e.request.bank, &queue};
}

void DramController::consider(DramQueue& queue, std::uint32_t entry, DramCommand command, Choice& best) {
  if (use_of(command).bus != bus_) return;
  const DramEntry& e = entries_[entry];
  const std::uint32_t bank = e.request.bank;
  take({std::max(start_, banks_.earliest(command, bank)), e.arrived, command, entry, bank, &queue}, best);
}

// The oldest refresh, or a precharge that it needs.
void DramController::choose_refresh(Choice& best) {
  const auto step = refresh_->step(refreshes_.front(), banks_, activated_);
  if (!step || use_of(step->command).bus != bus_) return;
  const Clock at = std::max(start_, banks_.earliest(step->command, step->bank));
  if (at < best.at) best = {at, 0, step->command, kNoEntry, step->bank, nullptr};
}

}  // namespace tokencycle::memory
