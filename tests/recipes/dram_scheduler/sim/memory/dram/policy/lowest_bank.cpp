// SPDX-License-Identifier: Apache-2.0
// Example of a scheduler: the bank with the lowest number goes first, and its row hits before others. It
// starves the rest, so nobody should use it.
#include "memory/dram/policy/scheduler.h"

namespace tokencycle::memory::policy {
namespace {

class LowestBank final : public Scheduler {
 public:
  void select(const DramQueue&, std::span<Banks> banks) const override {
    bool found = false;
    for (Banks& b : banks) {
      const std::uint64_t waiting = b.hits | b.others;
      const std::uint64_t lowest = found ? 0 : waiting & -waiting;
      found = found || waiting != 0;
      b.hits &= lowest;
      b.others &= b.hits != 0 ? 0 : lowest;
    }
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_lowest_bank(const config::DramSystem&, std::uint32_t) {
  return std::make_unique<LowestBank>();
}

}  // namespace tokencycle::memory::policy
