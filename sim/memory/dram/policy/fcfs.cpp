// SPDX-License-Identifier: Apache-2.0
// First come, first served: the oldest request alone.
#include <bit>

#include "memory/dram/policy/scheduler.h"

namespace tokencycle::memory::policy {
namespace {

class Fcfs final : public Scheduler {
 public:
  void select(const DramQueue& queue, std::span<Banks> banks) const override {
    DramQueue::First oldest;
    std::uint32_t at = 0;
    for (std::size_t w = 0; w < banks.size(); ++w) {
      for (std::uint64_t bits = banks[w].hits | banks[w].others; bits != 0; bits &= bits - 1) {
        const auto bank =
            static_cast<std::uint32_t>(w * 64) + static_cast<std::uint32_t>(std::countr_zero(bits));
        const DramQueue::First head = queue.head(bank);
        if (oldest.entry != kNoEntry && head.arrived >= oldest.arrived) continue;
        oldest = head;
        at = bank;
      }
      banks[w] = {};
    }
    const std::uint64_t bit = std::uint64_t{1} << (at % 64);
    const bool hit = queue.of(at).hit.entry == oldest.entry;
    (hit ? banks[at / 64].hits : banks[at / 64].others) = bit;
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_fcfs(const config::DramSystem&, std::uint32_t) {
  return std::make_unique<Fcfs>();
}

}  // namespace tokencycle::memory::policy
