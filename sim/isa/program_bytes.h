// SPDX-License-Identifier: Apache-2.0
// A program file's bytes, for programs that come from or go to something else than a file.
#pragma once

#include <string>

#include "isa/program.h"

namespace tokencycle::isa {

// What write_program() writes and read_program() reads; the names are for messages, which are theirs.
std::string program_bytes(const Program& program, const std::string& target_name);
Program parse_program(const std::string& file, const std::string& source_name);

}  // namespace tokencycle::isa
