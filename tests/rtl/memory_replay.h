// SPDX-License-Identifier: Apache-2.0
// The machine's memory once more, given the same bursts in the same cycles: events do not say which of its
// queues are full.
#pragma once

#include <memory>
#include <span>

#include "memory/dram/dram.h"

namespace tokencycle::rtl {

class MemoryReplay {
 public:
  explicit MemoryReplay(const config::Machine& machine) : dram_(memory::make_dram(machine)) {}

  // Everything up to the completions of `now`, before the units' turn. Cycles in ascending order.
  void advance(Cycle now) {
    for (;;) {
      const memory::DramNotice notice = dram_->advance(now);
      if (notice.news == memory::DramNews::nothing) return;
      if (notice.news == memory::DramNews::data_bus) dram_->report_bus_change(nobody_);
      if (notice.news == memory::DramNews::completion) dram_->take_completion();
    }
  }
  std::uint32_t channel_of(DramAddress address) const { return dram_->channel_of(address); }
  // Whether a read of this address would be accepted now.
  bool has_room(DramAddress address) { return dram_->has_room(dram_->channel_of(address), address, false); }
  // Bursts that were issued in `now`, after the units' turn.
  void accept(Cycle now, std::span<const memory::Burst> bursts) {
    for (const memory::Burst& burst : bursts) dram_->accept(now, burst);
  }

 private:
  observe::EventHub nobody_;
  std::unique_ptr<memory::Dram> dram_;
};

}  // namespace tokencycle::rtl
