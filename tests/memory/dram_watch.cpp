// SPDX-License-Identifier: Apache-2.0
#include "memory/dram_watch.h"

namespace tokencycle::test {

using memory::Clock;

namespace {

class Watch : public memory::DramListener {
 public:
  Watch(DramWatched& seen, bool commands) : seen_(seen), commands_(commands) {}
  void completed(std::uint64_t id, Clock clock) override { seen_.completed[id] = clock; }
  void commanded(const memory::DramCommandRecord& r) override {
    if (commands_) seen_.commands.push_back(r);
  }
  bool wants_commands() const override { return commands_; }
  void transferring(Clock begin, Clock end, bool write) override { seen_.bus.push_back({begin, end, write}); }
  void waiting(Clock from, memory::DramWait wait) override { seen_.waits.push_back({from, wait}); }

 private:
  DramWatched& seen_;
  bool commands_;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const DramWaitChange& change) {
  return out << change.from << ' ' << name_of(change.wait);
}

std::ostream& operator<<(std::ostream& out, const DramBusUse& use) {
  return out << use.begin << " to " << use.end << (use.write ? " write" : " read");
}

DramWatched watch(const config::DramSystem& system, std::span<const DramArrival> arrivals, Clock until,
                  DramAdvance how, bool record_commands) {
  DramWatched seen;
  seen.completed.resize(arrivals.size(), memory::kNoClock);
  Watch listener(seen, record_commands);
  memory::DramController controller(system, listener);
  Clock now = 0;
  const auto advance = [&](Clock to) {
    if (how == DramAdvance::every_clock) {
      while (now < to) controller.advance(now++);
    }
    controller.advance(now = to);
  };
  for (const DramArrival& a : arrivals) {
    advance(std::max(now, a.at));
    while (!controller.has_room(a.write, a.bank)) advance(now + 1);
    seen.accepted.push_back(now);
    const std::uint32_t waiting = controller.waiting();
    controller.accept(now, {seen.queued.size(), a.write, a.bank, a.row, a.column});
    seen.queued.push_back(controller.waiting() != waiting);
  }
  advance(std::max(now, until));
  seen.counters = controller.counters();
  seen.banks = controller.banks();
  seen.open_bank_clocks = controller.open_bank_clocks(now);
  seen.refreshing_bank_clocks = controller.refreshing_bank_clocks(now);
  return seen;
}

}  // namespace tokencycle::test
