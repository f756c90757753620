// SPDX-License-Identifier: Apache-2.0
// Folders for what is written.
#pragma once

#include <filesystem>

namespace tokencycle {

// Makes it and the folders above it; one that is there stays. Throws IoError, of "-" UsageError.
void make_folder(const std::filesystem::path& folder);

}  // namespace tokencycle
