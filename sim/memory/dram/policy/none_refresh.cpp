// SPDX-License-Identifier: Apache-2.0
// No refresh: the data would fade. For comparisons.
#include "memory/dram/policy/refresh.h"

namespace tokencycle::memory::policy {
namespace {

class NoneRefresh final : public Refresh {
 public:
  Clock next() const override { return kNoClock; }
  void fall_due(std::deque<std::uint32_t>&) override {}
  std::optional<Step> step(std::uint32_t, const DramBanks&, const DramQueue&) const override { return {}; }
};

}  // namespace

std::unique_ptr<Refresh> make_none_refresh(const config::DramDevice&) {
  return std::make_unique<NoneRefresh>();
}

}  // namespace tokencycle::memory::policy
