// SPDX-License-Identifier: Apache-2.0
// Every interval (nREFIpb) one REFpb for each rank, whose banks take turns; those that it reaches are closed.
#include "base/state_archives.h"
#include "memory/dram/policy/refresh.h"

namespace tokencycle::memory::policy {
namespace {

class PerBankRefresh final : public Refresh {
 public:
  explicit PerBankRefresh(const config::DramDevice& device)
      : interval_(device.bank_refresh_interval),
        ranks_(device.ranks),
        banks_(device.banks_of_rank()),
        turns_(banks_ / device.refresh_reach),
        next_(interval_) {}

  Clock next() const override { return next_; }
  void fall_due(std::deque<std::uint32_t>& owed) override {
    for (std::uint32_t r = 0; r < ranks_; ++r) owed.push_back(r * banks_ + turn_);
    turn_ = (turn_ + 1) % turns_;
    next_ += interval_;
  }
  std::optional<Step> step(std::uint32_t owed, const DramBanks& banks,
                           const DramQueue& opened) const override {
    Step step{DramCommand::refresh_bank, owed};
    for (std::uint32_t i = 0; i < banks.reach(); ++i) {
      const std::uint32_t reached = banks.reached(owed, i);
      if (opened.of(reached).size != 0) return {};
      if (banks.open_row(reached) != kNoRow) step = {DramCommand::precharge, reached};
    }
    return step;
  }
  void serialize(StateWriter& state) override { state(turn_, next_); }
  void serialize(StateReader& state) override { state(turn_, next_); }

 private:
  Clock interval_;
  std::uint32_t ranks_, banks_;  // banks of a rank
  std::uint32_t turns_;          // until a rank is through
  std::uint32_t turn_ = 0;
  Clock next_;
};

}  // namespace

std::unique_ptr<Refresh> make_per_bank_refresh(const config::DramDevice& device) {
  return std::make_unique<PerBankRefresh>(device);
}

}  // namespace tokencycle::memory::policy
