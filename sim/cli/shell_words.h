// SPDX-License-Identifier: Apache-2.0
// Words for a POSIX shell.
#pragma once

#include <string>

namespace tokencycle::cli {

// As one word, whatever is in it: 'it'\''s'.
std::string shell_quoted(const std::string& text);

}  // namespace tokencycle::cli
