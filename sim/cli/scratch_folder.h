// SPDX-License-Identifier: Apache-2.0
// A folder for what programs that this one starts print, removed with what is in it.
#pragma once

#include <filesystem>
#include <string_view>

namespace tokencycle::cli {

class ScratchFolder {
 public:
  // Where TMPDIR says, or in /tmp. Throws IoError when it cannot be made there.
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  // The path of its nth file of this kind.
  std::filesystem::path file(std::size_t n, std::string_view kind) const;

 private:
  std::filesystem::path path_;
};

}  // namespace tokencycle::cli
