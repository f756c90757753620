// SPDX-License-Identifier: Apache-2.0
// What each instruction does, as loop nests, and how programs are written: `tokencycle explain isa`.
#pragma once

#include <string_view>

namespace tokencycle::isa {

// The state that a program sees, instructions by unit, assembly text.
std::string_view reference();

}  // namespace tokencycle::isa
