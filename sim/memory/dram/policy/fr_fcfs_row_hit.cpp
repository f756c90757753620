// SPDX-License-Identifier: Apache-2.0
// First ready, first come with row hits first, as most papers define FR-FCFS. After S. Rixner, W. Dally,
// U. Kapasi, P. Mattson and J. Owens, "Memory Access Scheduling", ISCA 2000: a bank is precharged for another
// row only when no reference to its open row is pending, and column accesses go before row accesses.
//
// 1. A row is not closed for a request while one for the open row waits in the queue that is served (reads,
// or
//    writes while they are drained), ready or not. Requests of the other direction do not hold it: they are
//    not served before the direction changes, and reads that waited for them would keep it from changing.
// 2. Where a transfer and an ACT or PRE can be given in the same clock, the transfer is, whichever is older.
// 3. Otherwise the older request's command.
//
// Nothing bounds how long hits overtake an older request (fr_fcfs_cap.cpp does); refreshes close rows as
// ever.
#include "memory/dram/policy/scheduler.h"

namespace tokencycle::memory::policy {
namespace {

class FrFcfsRowHit final : public Scheduler {
 public:
  void select(const DramQueue&, std::span<Banks> banks) const override {
    for (Banks& b : banks) b.others &= ~b.hits;
  }
  bool serves_all_hits() const override { return true; }
  bool transfers_first() const override { return true; }
};

}  // namespace

std::unique_ptr<Scheduler> make_fr_fcfs_row_hit(const config::DramSystem&, std::uint32_t) {
  return std::make_unique<FrFcfsRowHit>();
}

}  // namespace tokencycle::memory::policy
