// SPDX-License-Identifier: Apache-2.0
// Every interval (nREFI) one REFab for each rank, with all of its banks closed.
#include "base/state_archives.h"
#include "memory/dram/policy/refresh.h"

namespace tokencycle::memory::policy {
namespace {

class AllBankRefresh final : public Refresh {
 public:
  explicit AllBankRefresh(const config::DramDevice& device)
      : interval_(device.refresh_interval),
        ranks_(device.ranks),
        banks_(device.banks_of_rank()),
        next_(interval_) {}

  Clock next() const override { return next_; }
  void fall_due(std::deque<std::uint32_t>& owed) override {
    for (std::uint32_t r = 0; r < ranks_; ++r) owed.push_back(r * banks_);
    next_ += interval_;
  }
  std::optional<Step> step(std::uint32_t owed, const DramBanks& banks,
                           const DramQueue& opened) const override {
    const std::uint32_t first = banks.rank_of(owed) * banks.of_rank();
    for (std::uint32_t b = 0; b < banks.of_rank(); ++b) {
      if (opened.of(first + b).size != 0) return {};
    }
    const bool open = banks.open_in_rank(banks.rank_of(owed)) != 0;
    return Step{open ? DramCommand::precharge_all : DramCommand::refresh_all, owed};
  }
  std::uint64_t skip(Clock until) override {
    if (until - next_ < 3 * interval_) return 0;
    const Clock skipped = (until - next_) / interval_ - 1;
    next_ += skipped * interval_;
    return skipped;
  }
  void serialize(StateWriter& state) override { state(next_); }
  void serialize(StateReader& state) override { state(next_); }

 private:
  Clock interval_;
  std::uint32_t ranks_, banks_;  // banks of a rank
  Clock next_;
};

}  // namespace

std::unique_ptr<Refresh> make_all_bank_refresh(const config::DramDevice& device) {
  return std::make_unique<AllBankRefresh>(device);
}

}  // namespace tokencycle::memory::policy
