// SPDX-License-Identifier: Apache-2.0
// Sums of timing parameters, as the standards' constraints write them: "nCL + nBL + 2 - nCWL".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tokencycle::config {

struct DramSum {
  struct Term {
    std::string symbol;       // empty: a number
    std::int64_t number = 0;  // without a symbol
    bool subtracted = false;
  };
  std::string text;
  std::vector<Term> terms;  // at least one

  // Every symbol must be in `clocks`; std::out_of_range otherwise.
  std::int64_t value(const std::map<std::string, std::uint32_t>& clocks) const;
};

// Terms joined by " + " and " - "; a term is a symbol (n and a letter, then letters, digits, "_") or a number
// below 10^6. At most 16 terms. Nothing for any other text.
std::optional<DramSum> parse_sum(const std::string& text);
bool is_timing_symbol(const std::string& text);

}  // namespace tokencycle::config
