// SPDX-License-Identifier: Apache-2.0
#include "host/home.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"

namespace tokencycle::host {

namespace fs = std::filesystem;

namespace {

bool has_machines(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "configs", ignored);
}

// bin/tokencycle and share/tokencycle of an installation, or a folder above the program that is a tree.
fs::path around_program() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path installed = program.parent_path().parent_path() / "share" / "tokencycle";
  if (has_machines(installed)) return installed;
  for (fs::path folder = program.parent_path(); folder != folder.root_path(); folder = folder.parent_path()) {
    if (has_machines(folder) && fs::is_directory(folder / "models", error)) return folder;
  }
  return {};
}

}  // namespace

fs::path home() {
  const char* const set = std::getenv("TOKENCYCLE_HOME");
  if (set != nullptr && *set != '\0') {
    if (has_machines(set)) return set;
    throw IoError(
        fmt::format("TOKENCYCLE_HOME is '{}': there is no folder configs/ in it; set it to a tree of "
                    "tokencycle, or unset it",
                    set));
  }
  static const fs::path kAround = around_program();
  return kAround.empty() ? fs::path(TOKENCYCLE_HOME) : kAround;
}

}  // namespace tokencycle::host
