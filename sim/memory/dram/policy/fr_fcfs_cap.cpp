// SPDX-License-Identifier: Apache-2.0
// As fr-fcfs, but a bank serves at most `row_hit_cap` hits past an older request to another row.
#include <bit>
#include <vector>

#include "base/state_archives.h"
#include "memory/dram/policy/scheduler.h"

namespace tokencycle::memory::policy {
namespace {

class FrFcfsCap final : public Scheduler {
 public:
  FrFcfsCap(std::uint32_t cap, std::uint32_t banks) : cap_(cap), past_(banks) {}

  void select(const DramQueue& queue, std::span<Banks> banks) const override {
    for (std::size_t w = 0; w < banks.size(); ++w) {
      for (std::uint64_t bits = banks[w].hits & banks[w].others; bits != 0; bits &= bits - 1) {
        const auto bank =
            static_cast<std::uint32_t>(w * 64) + static_cast<std::uint32_t>(std::countr_zero(bits));
        const DramQueue::List& list = queue.of(bank);
        if (list.other.arrived < list.hit.arrived && past_[bank] >= cap_) banks[w].hits &= ~(bits & -bits);
      }
    }
  }
  bool serves_all_hits() const override { return true; }
  void served(std::uint32_t bank, bool past_older) override { past_[bank] += past_older; }
  void row_changed(std::uint32_t bank) override { past_[bank] = 0; }
  void serialize(StateWriter& state) override { state(past_); }
  void serialize(StateReader& state) override { state(past_); }

 private:
  std::uint32_t cap_;
  std::vector<std::uint32_t> past_;  // of each bank: hits of the open row that overtook an older request
};

}  // namespace

std::unique_ptr<Scheduler> make_fr_fcfs_cap(const config::DramSystem& system, std::uint32_t banks) {
  return std::make_unique<FrFcfsCap>(system.row_hit_cap, banks);
}

}  // namespace tokencycle::memory::policy
