// SPDX-License-Identifier: Apache-2.0
// What every error of the program looks like, whatever its kind.
#pragma once

#include <string>
#include <vector>

#include "command_line.h"

namespace tokencycle::test {

// Checks that the arguments end with this exit code, nothing on standard output, and on standard error one
// paragraph that begins with the program's name and has all the parts. Returns it.
std::string check_refusal(int exit_code, const std::vector<std::string>& arguments,
                          const std::vector<std::string>& parts, const char* program = TOKENCYCLE_BINARY);

// Every file below the folder, with its bytes: the same before and after what is refused.
std::vector<std::pair<std::string, std::string>> files_below(const std::string& folder);

}  // namespace tokencycle::test
