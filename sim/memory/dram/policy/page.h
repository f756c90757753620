// SPDX-License-Identifier: Apache-2.0
// When an open row closes, other than for a request to another row or for a refresh.
#pragma once

#include <cstdint>
#include <memory>

#include "config/dram/system.h"

namespace tokencycle::memory::policy {

class PagePolicy {
 public:
  virtual ~PagePolicy() = default;
  // False if closes() never is true: then the controller does not ask.
  virtual bool uses_auto_precharge() const { return true; }
  // Whether a transfer closes its row. Waiting requests of the bank in all queues: for the open row (the
  // transfer's own is one of them), and for other rows.
  virtual bool closes(std::uint32_t same_row, std::uint32_t other_rows) const = 0;
};

std::unique_ptr<PagePolicy> make_page_policy(const config::DramSystem& system);

}  // namespace tokencycle::memory::policy
