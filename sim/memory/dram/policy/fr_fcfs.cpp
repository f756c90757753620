// SPDX-License-Identifier: Apache-2.0
// First ready, first come: of the requests whose next command can be given, the oldest. A row may be closed
// for an older request while hits wait that are not ready yet (fr_fcfs_row_hit.cpp never does that).
#include "memory/dram/policy/scheduler.h"

namespace tokencycle::memory::policy {
namespace {

class FrFcfs final : public Scheduler {
 public:
  void select(const DramQueue&, std::span<Banks>) const override {}
  bool serves_all_hits() const override { return true; }
};

}  // namespace

std::unique_ptr<Scheduler> make_fr_fcfs(const config::DramSystem&, std::uint32_t) {
  return std::make_unique<FrFcfs>();
}

}  // namespace tokencycle::memory::policy
