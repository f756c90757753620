// SPDX-License-Identifier: Apache-2.0
// Rows of formats that nothing here encodes: blocks of arbitrary bytes with sensible scales.
#pragma once

#include <cstddef>
#include <span>

#include "numerics/format.h"

namespace tokencycle::test {

// Fills `row` with blocks of f whose values have about the magnitude of `values` (one for each element). The
// bytes follow from `values`: the same values give the same row. Formats that are not listed in the source
// file are taken to begin with their fp16 scale.
void make_blocks(Format f, std::span<const float> values, std::span<std::byte> row);

}  // namespace tokencycle::test
