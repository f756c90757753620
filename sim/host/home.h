// SPDX-License-Identifier: Apache-2.0
// Where configs/ and models/ are: TOKENCYCLE_HOME, or the tree that this program was built from.
#pragma once

#include <filesystem>

namespace tokencycle::host {

std::filesystem::path home();

}  // namespace tokencycle::host
