// SPDX-License-Identifier: Apache-2.0
// Random valid instructions and programs for the property tests.
#pragma once

#include <random>

#include "isa/program.h"

namespace tokencycle::isa::test {

using Random = std::mt19937_64;

// A number in [least, most].
std::uint64_t number(Random& random, std::uint64_t least, std::uint64_t most);

// Any valid instruction of the opcode: every field takes all of its range that the rules allow.
Instruction random_instruction(Random& random, Opcode op);

// Up to `words` words of all opcodes with well-formed loops, operators, sections and data.
Program random_program(Random& random, std::uint32_t words);

}  // namespace tokencycle::isa::test
