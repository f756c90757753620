// SPDX-License-Identifier: Apache-2.0
// Expressions over the keys of a machine and the options of a run: which combinations of a plan are wanted.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "explore/sweep/plan.h"

namespace tokencycle::explore {

// Whether a point keeps a constraint: its value is not 0. Names are keys of the machine with points between
// them (matrix.rows, dram.system.channels) and options as option.NAME with _ for - (option.prompt_tokens);
// true counts 1, false 0. Operators and functions are those of muParser: + - * / ^, < <= == != >= >, && ||,
// c ? a : b, min, max, log2 ... Throws ConfigurationError with the place for what cannot be read, and for
// names that are not there or no number.
bool keeps(const std::string& constraint, const nlohmann::ordered_json& machine, const Settings& settings,
           const std::string& source);

}  // namespace tokencycle::explore
