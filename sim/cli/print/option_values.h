// SPDX-License-Identifier: Apache-2.0
// What an option's value may be, for completion.
#pragma once

#include <string>
#include <vector>

namespace tokencycle::cli {

struct OptionValues {
  enum class Kind { none, files, folders, machines, memories, choices };  // none: numbers and texts
  Kind kind = Kind::none;
  std::vector<std::string> choices;
};

OptionValues values_of(const std::string& command, const std::string& option);

}  // namespace tokencycle::cli
