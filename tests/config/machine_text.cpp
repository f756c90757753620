// SPDX-License-Identifier: Apache-2.0
#include "machine_text.h"

#include "base/error.h"

namespace tokencycle::config {

std::string errors_of_text(const std::string& text) {
  try {
    parse_machine(text, "sample.json");
  } catch (const ConfigurationError& e) {
    return e.what();
  }
  return "";
}

}  // namespace tokencycle::config
