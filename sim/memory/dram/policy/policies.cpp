// SPDX-License-Identifier: Apache-2.0
// From the rows of config/dram/policies.h to the files of this folder.
#include <stdexcept>

#include "memory/dram/policy/page.h"
#include "memory/dram/policy/refresh.h"
#include "memory/dram/policy/scheduler.h"

namespace tokencycle::memory::policy {

// A row without its file does not link.
#define TOKENCYCLE_DECLARE(name, text) \
  std::unique_ptr<Scheduler> make_##name(const config::DramSystem& system, std::uint32_t banks);
TOKENCYCLE_DRAM_SCHEDULERS(TOKENCYCLE_DECLARE)
#undef TOKENCYCLE_DECLARE
#define TOKENCYCLE_DECLARE(name, text) std::unique_ptr<PagePolicy> make_##name##_page();
TOKENCYCLE_DRAM_PAGE_POLICIES(TOKENCYCLE_DECLARE)
#undef TOKENCYCLE_DECLARE
#define TOKENCYCLE_DECLARE(name, text) \
  std::unique_ptr<Refresh> make_##name##_refresh(const config::DramDevice& device);
TOKENCYCLE_DRAM_REFRESHES(TOKENCYCLE_DECLARE)
#undef TOKENCYCLE_DECLARE

std::unique_ptr<Scheduler> make_scheduler(const config::DramSystem& system, std::uint32_t banks) {
  switch (system.scheduler) {
#define TOKENCYCLE_CASE(name, text) \
  case config::DramScheduler::name: \
    return make_##name(system, banks);
    TOKENCYCLE_DRAM_SCHEDULERS(TOKENCYCLE_CASE)
#undef TOKENCYCLE_CASE
  }
  throw std::logic_error("no such scheduler");
}

std::unique_ptr<PagePolicy> make_page_policy(const config::DramSystem& system) {
  switch (system.page_policy) {
#define TOKENCYCLE_CASE(name, text)  \
  case config::DramPagePolicy::name: \
    return make_##name##_page();
    TOKENCYCLE_DRAM_PAGE_POLICIES(TOKENCYCLE_CASE)
#undef TOKENCYCLE_CASE
  }
  throw std::logic_error("no such page policy");
}

std::unique_ptr<Refresh> make_refresh(const config::DramSystem& system) {
  switch (system.refresh) {
#define TOKENCYCLE_CASE(name, text) \
  case config::DramRefresh::name:   \
    return make_##name##_refresh(system.device);
    TOKENCYCLE_DRAM_REFRESHES(TOKENCYCLE_CASE)
#undef TOKENCYCLE_CASE
  }
  throw std::logic_error("no such refresh");
}

}  // namespace tokencycle::memory::policy
