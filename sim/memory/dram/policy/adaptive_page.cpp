// SPDX-License-Identifier: Apache-2.0
// A row closes with the last waiting request for it if one for another row of the bank waits.
#include "memory/dram/policy/page.h"

namespace tokencycle::memory::policy {
namespace {

class AdaptivePage final : public PagePolicy {
 public:
  bool closes(std::uint32_t same_row, std::uint32_t other_rows) const override {
    return same_row == 1 && other_rows != 0;
  }
};

}  // namespace

std::unique_ptr<PagePolicy> make_adaptive_page() {
  return std::make_unique<AdaptivePage>();
}

}  // namespace tokencycle::memory::policy
