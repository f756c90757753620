// SPDX-License-Identifier: Apache-2.0
#include "base/make_folder.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tokencycle {

void make_folder(const std::filesystem::path& folder) {
  if (folder == "-") {
    throw UsageError("-: a folder cannot be written to standard output; name one (./- for one of that name)");
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder)) {
    throw IoError(fmt::format("{}: this folder cannot be made: {}", folder.string(),
                              error ? error.message() : "a file of that name is there"));
  }
}

}  // namespace tokencycle
