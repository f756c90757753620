// SPDX-License-Identifier: Apache-2.0
// One HTML page about one or several results: self-contained, offline, readable without script.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "explore/result/document.h"

namespace tokencycle::explore {

// A page of one result is smaller than the first, a further result may add the second, and no page is larger
// than the last: detail is left out, most pipeline rows first, and the page says which.
inline constexpr std::size_t kReportBytes = 1'000'000, kFurtherBytes = 350'000, kMostReportBytes = 9'000'000;
std::size_t report_bytes(std::size_t results);

// results: at least one; baseline: an index of theirs. Throws UsageError where the program was built without
// the chart library, or where so many results do not fit into one page.
std::string report_html(const std::vector<Result>& results, std::size_t baseline);

}  // namespace tokencycle::explore
