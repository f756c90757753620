// SPDX-License-Identifier: Apache-2.0
// What differs between results besides their figures: keys of the machines, settings, and the work itself.
#pragma once

#include <string>
#include <vector>

#include "explore/comparison.h"

namespace tokencycle::explore {

// All keys of configuration.values but /name and /description whose values are not the same in all results.
// Lists count as one value.
std::vector<DifferingKey> differing_machine_keys(const std::vector<Result>& results);
// Model, prompt and settings, as paths into the result document.
std::vector<DifferingKey> differing_settings(const std::vector<Result>& results);

// Without values a model's digest covers less of its file, so that names are compared in its place.
bool same_model(const Result& a, const Result& b);
bool same_tokens(const Result& a, const Result& b);

// One sentence for each reason why a result's cycles are not those of the baseline's work.
std::vector<std::string> warnings_of(const std::vector<Result>& results, std::size_t baseline,
                                     const std::vector<std::string>& labels);

}  // namespace tokencycle::explore
