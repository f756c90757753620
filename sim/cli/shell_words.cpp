// SPDX-License-Identifier: Apache-2.0
#include "cli/shell_words.h"

namespace tokencycle::cli {

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace tokencycle::cli
