// SPDX-License-Identifier: Apache-2.0
// Lists of products as text: SCALE-Sim's topologies and what spreadsheets make of such lists.
#pragma once

#include <string>
#include <vector>

#include "host/gemm/gemm.h"

namespace tokencycle::cli {

struct ShapesList {
  std::vector<host::GemmLayer> layers;
  std::string form;  // what the list was taken for, one line
};

// One layer per line: a name, M, N and K, in the order of the heading if there is one. A heading of
// SCALE-Sim's convolutions makes each layer a product by im2col: M output positions, N filters, K values of a
// window. Accepts commas, semicolons or tabs, quotes, blanks, CRLF, empty lines, whole numbers with a
// fraction of zeros, a column of sparsity that says dense (N:N). Throws UsageError with source and line for
// everything else.
ShapesList parse_shapes(const std::string& text, const std::string& source_name);

// A side of a product; `what` names it in the UsageError.
std::uint32_t parse_side(const std::string& text, const std::string& what);

}  // namespace tokencycle::cli
