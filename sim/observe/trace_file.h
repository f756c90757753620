// SPDX-License-Identifier: Apache-2.0
// The file of a trace while it grows: a temporary name, a cap, gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

struct gzFile_s;  // zlib's

namespace tokencycle::observe {

// "PATH.PID.tmp", in the same folder, so that a rename puts it in place.
std::filesystem::path temporary_name(const std::filesystem::path& path);
// Renames it. Throws IoError (file, reason) and removes it when that fails.
void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& path);

class TraceFile {
 public:
  // Creates the temporary file; gzipped if the path ends in .gz. `max_bytes` counts what is written, before
  // compression. Throws IoError naming the file and the reason.
  TraceFile(std::filesystem::path path, std::uint64_t max_bytes);
  // Without commit() nothing stays.
  ~TraceFile() { discard(); }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  // True if `more` bytes still fit below the cap. A writer asks with its reserve, the bytes that its end
  // needs, included; write() itself refuses nothing.
  bool has_room(std::uint64_t more) const { return bytes_ <= max_bytes_ && more <= max_bytes_ - bytes_; }
  // Throws IoError; the temporary file is then gone.
  void write(std::string_view bytes) {
    bytes_ += bytes.size();
    buffer_.append(bytes);
    if (buffer_.size() >= kBufferBytes) flush();
  }
  // Writes what is left and puts the file in its place. Throws IoError; nothing stays then.
  void commit();
  // Removes the temporary file, if it is still open; nothing may be written any more.
  void discard();
  bool is_open() const { return file_ != nullptr; }

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }  // written, before compression
  std::uint64_t max_bytes() const { return max_bytes_; }

 private:
  static constexpr std::size_t kBufferBytes = 1 << 16;
  void flush();
  [[noreturn]] void fail(const char* what);

  std::filesystem::path path_, temporary_;
  std::uint64_t max_bytes_, bytes_ = 0;
  gzFile_s* file_ = nullptr;
  std::string buffer_;
};

}  // namespace tokencycle::observe
