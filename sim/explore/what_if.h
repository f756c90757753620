// SPDX-License-Identifier: Apache-2.0
// What each of several changes of a machine would save: the cycles of a run with it alone against those of
// the run without.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "explore/result/document.h"

namespace tokencycle::explore {

// Cycles of a run by phase; the two sum to those of all its tokens.
struct PhaseCycles {
  std::uint64_t prefill = 0, decode = 0;
  std::uint64_t total() const { return prefill + decode; }
};
PhaseCycles phase_cycles(const Result& result);

struct WhatIfChange {
  std::string text;                   // as a person wrote it: "matrix.rows=64+matrix.columns=64"
  std::vector<std::string> sets;      // "/matrix/rows=64"
  std::optional<PhaseCycles> cycles;  // none: it cannot be run
  int code = 0;                       // then the run's exit code, and its message
  std::string reason;
};

struct WhatIf {
  std::string machine;
  std::size_t prompt_tokens = 0, new_tokens = 0;
  bool timing_only = false;
  PhaseCycles base;
  std::vector<WhatIfChange> changes;
};

// Most cycles saved first, then in the order given; what cannot be run last.
void sort_by_gain(WhatIf& what_if);
// At most 100 columns, but for reasons and long changes.
std::string what_if_text(const WhatIf& what_if);
// Schema "tokencycle-what-if-1"; the records are in "changes".
nlohmann::ordered_json what_if_json(const WhatIf& what_if);

}  // namespace tokencycle::explore
