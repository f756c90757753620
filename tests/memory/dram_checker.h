// SPDX-License-Identifier: Apache-2.0
// The rules of DRAM timing a second time: minimum distances straight from the parameters, compared for every
// pair of commands, and what a bank's state forbids. It shares nothing with the controller but the record of
// a command.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "memory/dram_reference.h"

namespace tokencycle::test {

// How the banks of two commands lie. A command to a whole rank is in the same bank as all of that rank.
enum class DramPlace : std::uint8_t { same_bank, same_group, same_rank, other_rank, channel };

// Any of `after` comes at least `clocks` after the `window`-th last of `before` in this place.
struct DramRule {
  std::string name;
  std::vector<config::DramCommand> before, after;
  DramPlace place = DramPlace::same_bank;
  std::uint32_t clocks = 0;
  std::uint32_t window = 1;
};

struct DramRefreshDuty {
  config::DramRefresh kind = config::DramRefresh::none;
  std::uint32_t postpone = 0;
};

using DramStream = std::span<const memory::DramCommandRecord>;

class DramChecker {
 public:
  explicit DramChecker(const DramParameters& parameters);

  const std::vector<DramRule>& rules() const { return rules_; }
  bool in_place(DramPlace place, const memory::DramCommandRecord& a,
                const memory::DramCommandRecord& b) const;
  // The clock from which distances count, of a command's clocks.
  memory::Clock counted(const memory::DramCommandRecord& c) const;

  // Each returns a line a violation, beginning with the rule's name; streams are in order of time.
  std::vector<std::string> distances(DramStream stream) const;
  std::vector<std::string> states(DramStream stream) const;
  std::vector<std::string> buses(DramStream stream) const;
  // `end`: the clock up to which refreshes are owed.
  std::vector<std::string> refreshes(DramStream stream, DramRefreshDuty duty, memory::Clock end) const;
  std::vector<std::string> all(DramStream stream, DramRefreshDuty duty, memory::Clock end) const;

 private:
  void transfer_rules();
  void row_rules();
  void refresh_rules();
  bool whole_rank(config::DramCommand c) const;
  std::uint32_t rank_of(std::uint32_t bank) const { return bank / (p_.bank_groups * p_.banks); }
  std::string text(const memory::DramCommandRecord& c) const;

  const DramParameters p_;
  std::vector<DramRule> rules_;
  std::vector<std::vector<std::size_t>> of_pair_;  // [before * commands + after]: indices of rules
  memory::Clock longest_ = 0;
};

}  // namespace tokencycle::test
