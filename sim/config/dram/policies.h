// SPDX-License-Identifier: Apache-2.0
// The policies of a memory controller by name, one row each. sim/memory/dram/policy has a file for every row.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// ROW(name in C++, name in descriptions). A row makes the enumerator and its name here, and a call of
// make_<name in C++> in memory/dram/policy/policies.cpp.

#define TOKENCYCLE_DRAM_SCHEDULERS(ROW) \
  ROW(fcfs, "fcfs")                     \
  ROW(fr_fcfs, "fr-fcfs")               \
  ROW(fr_fcfs_cap, "fr-fcfs-cap")       \
  ROW(fr_fcfs_row_hit, "fr-fcfs-row-hit")

#define TOKENCYCLE_DRAM_PAGE_POLICIES(ROW) \
  ROW(open, "open")                        \
  ROW(closed, "closed")                    \
  ROW(adaptive, "adaptive")

#define TOKENCYCLE_DRAM_REFRESHES(ROW) \
  ROW(none, "none")                    \
  ROW(all_bank, "all-bank")            \
  ROW(per_bank, "per-bank")

namespace tokencycle::config {

#define TOKENCYCLE_ENUMERATOR(name, text) name,
#define TOKENCYCLE_TEXT(name, text) std::string_view(text),

enum class DramScheduler : std::uint8_t { TOKENCYCLE_DRAM_SCHEDULERS(TOKENCYCLE_ENUMERATOR) };
inline constexpr auto kDramSchedulers = std::to_array({TOKENCYCLE_DRAM_SCHEDULERS(TOKENCYCLE_TEXT)});

enum class DramPagePolicy : std::uint8_t { TOKENCYCLE_DRAM_PAGE_POLICIES(TOKENCYCLE_ENUMERATOR) };
inline constexpr auto kDramPagePolicies = std::to_array({TOKENCYCLE_DRAM_PAGE_POLICIES(TOKENCYCLE_TEXT)});

enum class DramRefresh : std::uint8_t { TOKENCYCLE_DRAM_REFRESHES(TOKENCYCLE_ENUMERATOR) };
inline constexpr auto kDramRefreshes = std::to_array({TOKENCYCLE_DRAM_REFRESHES(TOKENCYCLE_TEXT)});

#undef TOKENCYCLE_ENUMERATOR
#undef TOKENCYCLE_TEXT

// For loops over all of them.
template <class Policy, std::size_t N>
constexpr std::array<Policy, N> all_of(const std::array<std::string_view, N>& /*names*/) {
  std::array<Policy, N> all{};
  for (std::size_t i = 0; i < N; ++i) all[i] = static_cast<Policy>(i);
  return all;
}
inline constexpr auto kEveryDramScheduler = all_of<DramScheduler>(kDramSchedulers);
inline constexpr auto kEveryDramPagePolicy = all_of<DramPagePolicy>(kDramPagePolicies);
inline constexpr auto kEveryDramRefresh = all_of<DramRefresh>(kDramRefreshes);

// As in the files: "fr-fcfs-cap", "open", "all-bank".
constexpr std::string_view name_of(DramScheduler s) {
  return kDramSchedulers.at(static_cast<std::size_t>(s));
}
constexpr std::string_view name_of(DramPagePolicy p) {
  return kDramPagePolicies.at(static_cast<std::size_t>(p));
}
constexpr std::string_view name_of(DramRefresh r) {
  return kDramRefreshes.at(static_cast<std::size_t>(r));
}

}  // namespace tokencycle::config
