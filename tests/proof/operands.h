// SPDX-License-Identifier: Apache-2.0
// Encoded operands: random ones, and what an element of one is. Decoded here once more, by the definition of
// the formats, because the comparison should not trust sim/machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "numerics/format.h"
#include "proof/trial.h"
#include "support/array_registers.h"

namespace tokencycle::proof {

// A format of weights; `integers`: one without scales.
Format random_format(Random& random, bool integers);

// Appends `lines` encoded rows of `elements` random finite numbers; returns the first one's offset.
std::uint32_t append_lines(Random& random, std::vector<std::byte>& memory, Format format, std::uint32_t lines,
                           std::uint32_t elements);

// Element `index` of an encoded row, with its block's scale: integers as two's complement, floats as fp32
// bits.
test::Operand element(Format format, std::span<const std::byte> row, std::uint32_t index);

// How sums of products of these two formats are formed, and which multipliers make the products.
test::Kind kind_of(Format format);

// k values that are summed before they are scaled.
std::uint32_t group_of(Format format);
MultiplyType multiplier(Format one, Format other);

}  // namespace tokencycle::proof
