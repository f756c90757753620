// SPDX-License-Identifier: Apache-2.0
// What `tokencycle --version` prints: version, commit, libraries and compiler.
#pragma once

#include <string>

namespace tokencycle::cli {

std::string version_text();

}  // namespace tokencycle::cli
