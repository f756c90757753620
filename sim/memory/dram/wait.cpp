// SPDX-License-Identifier: Apache-2.0
// What the controller waits for.
#include "memory/dram/controller.h"

namespace tokencycle::memory {

std::string_view name_of(DramWait wait) {
  static constexpr std::array<std::string_view, kDramWaits> kNames = {
      "nothing", "bandwidth", "bank_busy", "row_conflict", "turnaround", "refresh"};
  return kNames.at(static_cast<std::size_t>(wait));
}

void DramController::note_wait(Clock t, DramWait wait) {
  if (wait == wait_) return;
  wait_ = wait;
  listener_.waiting(t, wait);
}

// Choices as they were made for clock t or stand in it; none of them was a transfer in t.
DramWait DramController::wait_at(Clock t) const {
  if (waiting() == 0) return DramWait::nothing;
  const Choice *first = choices_.data(), *transfer = transfers_.data();
  for (std::uint32_t b = 1; b < device_.command_buses; ++b) {
    if (choices_[b].at < first->at) first = &choices_[b];
    if (transfers_[b].at < transfer->at) transfer = &transfers_[b];
  }
  // A command of this clock may have closed the row again.
  if (transfer->entry != kNoEntry && banks_.open_row(transfer->bank) != kNoRow) return wait_of(*transfer, t);
  if (first->entry == kNoEntry) return first->at == kNoClock ? DramWait::bank_busy : DramWait::refresh;
  if (first->command != DramCommand::precharge) {
    const Clock refreshed = banks_.earliest_after(DramCause::refresh, first->command, first->bank, t);
    if (refreshed > t && refreshed >= first->at) return DramWait::refresh;
  }
  return opening(*first);
}

DramWait DramController::opening(const Choice& choice) const {
  const bool conflict = choice.command == DramCommand::precharge || entries_[choice.entry].conflict;
  return conflict ? DramWait::row_conflict : DramWait::bank_busy;
}

// Of a request whose row is open, by its transfer or the start of the data clock that it needs.
DramWait DramController::wait_of(const Choice& choice, Clock t) const {
  const DramEntry& e = entries_[choice.entry];
  const DramCommand transfer = transfer_of(e);
  if (choice.at <= t) return DramWait::bandwidth;
  const Clock opened = banks_.earliest_after(DramCause::activation, transfer, choice.bank, t);
  const Clock turned = banks_.earliest_after(DramCause::turnaround, transfer, choice.bank, t);
  if (turned > t && turned > opened && turned >= choice.at) return DramWait::turnaround;
  if (choice.command != transfer) return opening(choice);  // the data clock
  return opened > t && opened >= choice.at ? opening(choice) : DramWait::bandwidth;
}

}  // namespace tokencycle::memory
