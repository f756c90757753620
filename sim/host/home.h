// SPDX-License-Identifier: Apache-2.0
// Where configs/ and models/ are: TOKENCYCLE_HOME; else the tree or installation that the program lies in;
// else the tree that it was built from.
#pragma once

#include <filesystem>

namespace tokencycle::host {

// Throws IoError where TOKENCYCLE_HOME names no folder with configs/ in it. An empty one counts as not set.
std::filesystem::path home();

}  // namespace tokencycle::host
