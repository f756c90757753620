// SPDX-License-Identifier: Apache-2.0
// Lists of products as text: SCALE-Sim's GEMM topologies, a line "name, M, N, K" a layer.
#pragma once

#include <string>
#include <vector>

#include "host/gemm/gemm.h"

namespace tokencycle::cli {

// Accepts them as they are: a heading, blanks, trailing commas, CRLF, empty lines. Throws UsageError with
// source and line for a line that has other columns or a side that is no whole number from 1 to
// compiler::kLongestSide, and when there is no layer.
std::vector<host::GemmLayer> parse_shapes(const std::string& text, const std::string& source_name);

// A side of a product; `what` names it in the UsageError.
std::uint32_t parse_side(const std::string& text, const std::string& what);

}  // namespace tokencycle::cli
