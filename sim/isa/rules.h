// SPDX-License-Identifier: Apache-2.0
// The rules that the values of an instruction obey beyond fitting their bits. Private to this folder.
#pragma once

#include "isa/instruction.h"

namespace tokencycle::isa {

// Throws ProgramError naming opcode, field, value and what is allowed.
void check_rules(const Instruction& instruction);

}  // namespace tokencycle::isa
