// SPDX-License-Identifier: Apache-2.0
// When refreshes fall due, and by which commands they are done.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "base/state.h"
#include "config/dram/system.h"
#include "memory/dram/banks.h"
#include "memory/dram/queue.h"

namespace tokencycle::memory::policy {

class Refresh {
 public:
  struct Step {
    DramCommand command = DramCommand::refresh_all;
    std::uint32_t bank = 0;
  };

  virtual ~Refresh() = default;
  // The clock in which refreshes fall due next; kNoClock: never.
  virtual Clock next() const = 0;
  // Appends those of next() to `owed`, each as the first of the banks that it reaches, and moves next() on.
  virtual void fall_due(std::deque<std::uint32_t>& owed) = 0;
  // The next command for an owed refresh: REFab or REFpb, or a precharge that must come before. Nothing while
  // a row that it would close is kept for a request in `opened`.
  virtual std::optional<Step> step(std::uint32_t owed, const DramBanks& banks,
                                   const DramQueue& opened) const = 0;
  // With all rows closed and no request until then, refreshes leave no trace but their count: moves next() on
  // to at most `until`; returns how many REFab of each rank are passed over, 0 if it cannot say.
  virtual std::uint64_t skip(Clock /*until*/) { return 0; }
  // State of its own, for checkpoints.
  virtual void serialize(StateWriter& /*state*/) {}
  virtual void serialize(StateReader& /*state*/) {}
};

std::unique_ptr<Refresh> make_refresh(const config::DramSystem& system);

}  // namespace tokencycle::memory::policy
