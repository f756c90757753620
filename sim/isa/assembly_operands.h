// SPDX-License-Identifier: Apache-2.0
// One instruction from its tokens. Private to this folder.
#pragma once

#include <optional>
#include <span>

#include "isa/assembly_text.h"
#include "isa/instruction.h"

namespace tokencycle::isa {

struct ParsedInstruction {
  Instruction instruction;
  std::optional<Token> until;  // the label of a loop's `until=`; its length is not known yet
};

// tokens[0] is the mnemonic, the others its operands, as reference.cpp gives them. Checks names and widths of
// fields; the rules between fields are encode()'s. Throws ProgramError at the token.
ParsedInstruction parse_instruction(std::span<const Token> tokens);

// The format called by the token. Throws ProgramError with the nearest name.
Format parse_format(const Token& token, std::string_view what);

}  // namespace tokencycle::isa
