// SPDX-License-Identifier: Apache-2.0
// What one core of several did, for observers that look at one.
#pragma once

#include "observe/event.h"

namespace tokencycle::observe {

// Hands on what happened in one core, and what DRAM's channels do for all of them.
class OfCore : public Observer {
 public:
  OfCore(Observer& observer, std::uint8_t core) : observer_(observer), core_(core) {}

  std::uint32_t interests() const override { return observer_.interests(); }
  void on_event(const Event& event) override {
    const bool of_memory = is_channel(event.unit) && event.kind != EventKind::burst_issued &&
                           event.kind != EventKind::burst_done;
    if (of_memory || event.core == core_) observer_.on_event(event);
  }
  void on_retired(const InstructionRecord& record) override {
    if (record.core == core_) observer_.on_retired(record);
  }

 private:
  Observer& observer_;
  std::uint8_t core_;
};

}  // namespace tokencycle::observe
