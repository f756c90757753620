// SPDX-License-Identifier: Apache-2.0
#include "observe/trace_file.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "base/error.h"

namespace tokencycle::observe {

namespace {

[[noreturn]] void fail_with(const std::filesystem::path& path, const char* what, int reason) {
  if (reason == ENOMEM) throw std::bad_alloc();  // of zlib
  throw IoError(fmt::format("{}: {}: {}; nothing was left there", path.string(), what,
                            reason == 0 ? "no reason is known" : std::strerror(reason)));
}

}  // namespace

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  return fmt::format("{}.{}.tmp", path.string(), ::getpid());
}

void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path) {
  errno = 0;
  if (std::rename(temporary.c_str(), path.c_str()) == 0) return;
  const int reason = errno;
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  fail_with(path, "cannot be put in place", reason);
}

TraceFile::TraceFile(std::filesystem::path path, std::uint64_t max_bytes)
    : path_(std::move(path)), temporary_(temporary_name(path_)), max_bytes_(max_bytes) {
  // Now, and not after hours of simulation.
  if (std::filesystem::is_directory(path_)) fail_with(path_, "cannot be created", EISDIR);
  buffer_.reserve(2 * kBufferBytes);  // before the file: an exception would leave it there
  errno = 0;
  // 1: fast, since a simulation waits for it; T: as it is, without compression.
  file_ = gzopen(temporary_.c_str(), path_.extension() == ".gz" ? "wb1" : "wbT");
  if (file_ == nullptr) fail_with(path_, "cannot be created", errno);
}

void TraceFile::discard() {
  if (file_ == nullptr) return;
  gzclose(std::exchange(file_, nullptr));
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void TraceFile::fail(const char* what) {
  const int reason = errno;
  discard();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);  // also of a file whose closing failed
  fail_with(path_, what, reason);
}

void TraceFile::flush() {
  errno = 0;
  if (!buffer_.empty() && gzwrite(file_, buffer_.data(), static_cast<unsigned>(buffer_.size())) <= 0) {
    int code = Z_OK;
    gzerror(file_, &code);
    if (code == Z_MEM_ERROR) errno = ENOMEM;
    fail("cannot be written");
  }
  buffer_.clear();
}

void TraceFile::commit() {
  flush();
  errno = 0;
  const int closed = gzclose(std::exchange(file_, nullptr));
  if (closed == Z_MEM_ERROR) errno = ENOMEM;
  if (closed != Z_OK) fail("cannot be written");
  put_in_place(temporary_, path_);
}

}  // namespace tokencycle::observe
