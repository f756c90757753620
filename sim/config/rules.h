// SPDX-License-Identifier: Apache-2.0
// Rules that join several keys of a machine description.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/machine.h"

namespace tokencycle::config {

struct Rule {
  std::vector<std::string> paths;  // the keys it joins; the violation is reported at the first
  std::string statement;           // for the documentation
  // The violation (values, allowed range, remedy), or nothing.
  std::function<std::optional<std::string>(const Machine&)> violated;
};

const std::vector<Rule>& rules();

}  // namespace tokencycle::config
