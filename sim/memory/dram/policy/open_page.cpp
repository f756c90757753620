// SPDX-License-Identifier: Apache-2.0
// A row stays open until another one is wanted.
#include "memory/dram/policy/page.h"

namespace tokencycle::memory::policy {
namespace {

class OpenPage final : public PagePolicy {
 public:
  bool uses_auto_precharge() const override { return false; }
  bool closes(std::uint32_t, std::uint32_t) const override { return false; }
};

}  // namespace

std::unique_ptr<PagePolicy> make_open_page() {
  return std::make_unique<OpenPage>();
}

}  // namespace tokencycle::memory::policy
