// SPDX-License-Identifier: Apache-2.0
#include "base/read_file.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "base/error.h"

namespace tokencycle {

namespace {
struct Close {
  void operator()(gzFile file) const { gzclose(file); }
};
}  // namespace

std::string shown_name(const std::filesystem::path& path) {
  return path == "-" ? "standard input" : path.string();
}

void take_standard_input() {
  static bool taken = false;
  if (std::exchange(taken, true)) {
    throw UsageError("standard input is named twice (-), and it can be read once; name a file instead");
  }
}

std::string read_file(const std::filesystem::path& path, std::size_t most_bytes, std::string_view remedy) {
  const auto fail = [&](std::string_view why) {
    throw IoError(fmt::format("{}: cannot be read: {}; {}", shown_name(path), why, remedy));
  };
  std::error_code ignored;
  const bool standard_input = path == "-";
  if (!standard_input && std::filesystem::is_directory(path, ignored)) fail("it is a folder");
  if (standard_input) take_standard_input();
  errno = 0;
  const std::unique_ptr<gzFile_s, Close> file(standard_input ? gzdopen(::dup(STDIN_FILENO), "rb")
                                                             : gzopen(path.c_str(), "rb"));
  if (file == nullptr) fail(std::strerror(errno != 0 ? errno : ENOMEM));
  constexpr std::size_t kPart = 1 << 16;
  std::string text, part(kPart, '\0');
  while (text.size() <= most_bytes) {
    errno = 0;
    const std::size_t room = std::min(kPart, most_bytes + 1 - text.size());
    const int read = gzread(file.get(), part.data(), static_cast<unsigned>(room));
    int error = Z_OK;
    const char* const what = gzerror(file.get(), &error);
    if (error == Z_ERRNO) fail(std::strerror(errno));
    if (error == Z_MEM_ERROR) throw std::bad_alloc();
    if (error != Z_OK && read <= 0) fail(fmt::format("its gzip data are damaged or cut off ({})", what));
    if (read <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(read));
  }
  return text;
}

std::string gzipped(std::string_view bytes) {
  z_stream z{};
  constexpr int kGzip = 16 + MAX_WBITS, kMemory = 8;  // zlib.h: 16 more for gzip; its default memory
  if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);  // all of it: there is room
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace tokencycle
