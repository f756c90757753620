// SPDX-License-Identifier: Apache-2.0
// Products as a table and as data.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/gemm/gemm.h"

namespace tokencycle::cli {

// The table: a heading, one line per layer, and the sum of several.
std::string gemm_heading(const config::Machine& machine, const host::GemmOptions& options);
std::string gemm_line(const config::Machine& machine, const host::GemmReport& report);
std::string gemm_totals(const config::Machine& machine, const std::vector<host::GemmReport>& reports);

// Everything as data (sim/cli/README.md).
nlohmann::ordered_json gemm_json(const config::Machine& machine, const host::GemmOptions& options,
                                 const std::vector<host::GemmReport>& reports);

}  // namespace tokencycle::cli
