// SPDX-License-Identifier: Apache-2.0
// One file mapped into memory and watched; private to GgufFile.
#pragma once

#include <boost/iostreams/device/mapped_file.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "model/gguf/mapping_watch.h"

namespace tokencycle::model {

class MappedFile {
 public:
  // Throws IoError where there is no such regular file, or it cannot be read. An empty file has no bytes.
  explicit MappedFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  // How many of the bytes, from the first on, the caller relies on.
  void need(std::uint64_t bytes) { needed_ = bytes; }
  // Throws ModelError when one of these is gone because the file has become shorter.
  void check_whole() const;

 private:
  std::filesystem::path path_;
  boost::iostreams::mapped_file_source map_;
  std::optional<MappingWatch> watch_;  // of the map
  std::span<const std::byte> bytes_;
  std::uint64_t needed_ = 0;
};

}  // namespace tokencycle::model
