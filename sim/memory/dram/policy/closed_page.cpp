// SPDX-License-Identifier: Apache-2.0
// A row closes with the last waiting request for it.
#include "memory/dram/policy/page.h"

namespace tokencycle::memory::policy {
namespace {

class ClosedPage final : public PagePolicy {
 public:
  bool closes(std::uint32_t same_row, std::uint32_t) const override { return same_row == 1; }
};

}  // namespace

std::unique_ptr<PagePolicy> make_closed_page() {
  return std::make_unique<ClosedPage>();
}

}  // namespace tokencycle::memory::policy
