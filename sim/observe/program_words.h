// SPDX-License-Identifier: Apache-2.0
// What a word of a program is and what it is for, as text. A null program, or a word outside, is no error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "isa/program.h"

namespace tokencycle::observe {

// The word as assembly text; "?" when there is none.
std::string assembly_of(const isa::Program* program, std::uint32_t pc);

// The name of the operator that the word belongs to, empty for none. Valid as long as the program.
std::string_view operator_name(const isa::Program* program, std::uint32_t pc);

}  // namespace tokencycle::observe
