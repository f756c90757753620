// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/mapped_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <new>

#include "base/error.h"

namespace tokencycle::model {

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (error || !std::filesystem::exists(status)) {
    throw IoError(fmt::format("{}: there is no such file; check the path", path_.string()));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw IoError(fmt::format("{}: not a regular file; give the path of a GGUF model", path_.string()));
  }
  const std::uintmax_t size = std::filesystem::file_size(path_, error);
  if (error) throw IoError(fmt::format("{}: cannot be read: {}", path_.string(), error.message()));
  if (size == 0) return;  // nothing to map; the parser refuses it
  errno = 0;
  try {
    map_.open(path_.string());
  } catch (const std::exception& failure) {
    if (errno == ENOMEM) throw std::bad_alloc();
    throw IoError(
        fmt::format("{}: cannot be mapped: {}; check its permissions", path_.string(), failure.what()));
  }
  bytes_ = std::as_bytes(std::span(map_.data(), map_.size()));
  watch_.emplace(path_, bytes_);
}

void MappedFile::check_whole() const {
  const std::uint64_t lost = watch_ ? watch_->first_lost(needed_) : MappingWatch::kNone;
  if (lost == MappingWatch::kNone) return;
  throw ModelError(
      fmt::format("{}: the file became shorter while it was read (byte {} is gone; it had {} bytes); do not "
                  "change a model that is in use",
                  path_.string(), lost, bytes_.size()));
}

}  // namespace tokencycle::model
