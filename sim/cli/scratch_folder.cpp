// SPDX-License-Identifier: Apache-2.0
#include "cli/scratch_folder.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace tokencycle::cli {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder() {
  std::error_code none;
  const fs::path parent = fs::temp_directory_path(none);
  if (none) throw IoError("TMPDIR does not name a folder; set it to one that can be written");
  std::string name = (parent / "tokencycle-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw IoError(fmt::format("{}: no folder can be made there: {}; set TMPDIR to one that can be written",
                              parent.string(), std::strerror(errno)));
  }
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path ScratchFolder::file(std::size_t n, std::string_view kind) const {
  return path_ / fmt::format("{}.{}", n, kind);
}

}  // namespace tokencycle::cli
