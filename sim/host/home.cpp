// SPDX-License-Identifier: Apache-2.0
#include "host/home.h"

#include <cstdlib>

namespace tokencycle::host {

std::filesystem::path home() {
  const char* set = std::getenv("TOKENCYCLE_HOME");
  return set != nullptr ? set : TOKENCYCLE_HOME;
}

}  // namespace tokencycle::host
