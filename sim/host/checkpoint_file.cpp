// SPDX-License-Identifier: Apache-2.0
#include "host/checkpoint_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/iostreams/stream.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "host/interrupt.h"
#include "observe/trace_file.h"

namespace tokencycle::host {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kDigits = 32;  // of the digest at the end
constexpr std::size_t kChunk = 1 << 20;

[[noreturn]] void cannot(const std::filesystem::path& path, const char* what, int reason) {
  throw IoError(fmt::format("{}: the checkpoint cannot be {}: {}", path.string(), what,
                            reason == 0 ? "no reason is known" : std::strerror(reason)));
}

// A file descriptor and the digest of what went through it.
class DigestedFile {
 public:
  DigestedFile(const std::filesystem::path& path, int flags) {
    errno = 0;
    file_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (file_ < 0) remember();
  }
  ~DigestedFile() {
    if (file_ >= 0) ::close(file_);
  }
  DigestedFile(const DigestedFile&) = delete;
  DigestedFile& operator=(const DigestedFile&) = delete;
  bool is_open() const { return file_ >= 0; }

  // Returns whether all of it was written; reason() says why not. The same holds for the others.
  bool write(const char* bytes, std::size_t size) {
    digest_.update(std::as_bytes(std::span(bytes, size)));
    while (size > 0) {
      errno = 0;
      const ::ssize_t n = ::write(file_, bytes, size);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return remember();
      bytes += n;
      size -= static_cast<std::size_t>(n);
    }
    return true;
  }
  // Digests up to `size` bytes; returns how many there were.
  std::uint64_t read(std::uint64_t size) {
    std::vector<char> chunk(kChunk);
    std::uint64_t done = 0;
    while (done < size) {
      const ::ssize_t n = ::read(file_, chunk.data(), std::min<std::uint64_t>(chunk.size(), size - done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) remember();
      if (n <= 0) break;
      digest_.update(std::as_bytes(std::span(chunk).first(static_cast<std::size_t>(n))));
      done += static_cast<std::uint64_t>(n);
    }
    return done;
  }
  bool make_durable() { return ::fsync(file_) == 0 || remember(); }
  bool close() { return ::close(std::exchange(file_, -1)) == 0 || remember(); }
  int reason() const { return reason_; }  // errno of the first failure; 0: there was none
  std::string hex() const { return digest_.hex(); }

 private:
  bool remember() {
    if (reason_ == 0) reason_ = errno;
    return false;
  }

  int file_ = -1, reason_ = 0;
  Digest digest_;
};

// What std::ostream writes to.
class Sink {
 public:
  using char_type = char;
  using category = boost::iostreams::sink_tag;
  explicit Sink(DigestedFile& file) : file_(&file) {}
  std::streamsize write(const char* bytes, std::streamsize size) {
    if (!file_->write(bytes, static_cast<std::size_t>(size))) throw std::ios_base::failure("write");
    return size;
  }

 private:
  DigestedFile* file_;
};

// The new name outlives a power failure, too, where the file system can do that.
void make_name_durable(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  DigestedFile opened(folder, O_RDONLY | O_DIRECTORY);
  if (opened.is_open()) static_cast<void>(opened.make_durable());
}

// Throws std::ios_base::failure, with `file` knowing the reason.
void write_all(DigestedFile& file, const Json& header, const std::function<void(std::ostream&)>& state,
               bool durable) {
  if (!file.is_open()) throw std::ios_base::failure("open");
  boost::iostreams::stream<Sink> out(Sink(file), kChunk);
  out.exceptions(std::ios_base::badbit | std::ios_base::failbit);
  out << header.dump() << '\n';
  state(out);
  out.flush();
  const std::string digits = file.hex();
  if (!file.write(digits.data(), digits.size()) || (durable && !file.make_durable()) || !file.close()) {
    throw std::ios_base::failure("end");
  }
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Json& header,
                      const std::function<void(std::ostream&)>& state, bool durable) {
  const std::filesystem::path temporary = observe::temporary_name(path);
  const TemporaryFile remembered(temporary);
  const auto remove = [&temporary] {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
  };
  DigestedFile file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    write_all(file, header, state, durable);
  } catch (const std::ios_base::failure&) {
    remove();
    cannot(path, "written", file.reason());
  } catch (...) {
    remove();
    throw;
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) {
    remove();
    cannot(path, "put in place", error.value());
  }
  if (durable) make_name_durable(path);
}

bool is_checkpoint(const std::filesystem::path& path) {
  const std::string wanted = fmt::format(R"({{"schema":"{}")", kCheckpointSchema);
  std::string start(wanted.size(), '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  return start == wanted;
}

void read_checkpoint(const std::filesystem::path& path,
                     const std::function<void(const Json& header, std::istream&)>& state) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (error) cannot(path, "read", error.value());
  if (std::filesystem::is_directory(status)) cannot(path, "read", EISDIR);
  if (!std::filesystem::is_regular_file(status)) {
    throw IoError(fmt::format("{}: the checkpoint cannot be read: it is no regular file", path.string()));
  }
  const std::uint64_t size = std::filesystem::file_size(path, error);
  DigestedFile file(path, O_RDONLY);
  std::ifstream in(path, std::ios::binary);
  if (error || !file.is_open() || !in) cannot(path, "read", file.reason());

  if (size < kDigits || !is_checkpoint(path)) {
    throw IoError(
        fmt::format("{}: this is no checkpoint of a run (schema {}); give --resume a file that "
                    "--checkpoint has written",
                    path.string(), kCheckpointSchema));
  }
  if (file.read(size - kDigits) != size - kDigits) cannot(path, "read", file.reason());
  std::string digits(kDigits, '\0'), line;
  in.seekg(static_cast<std::streamoff>(size - kDigits));
  in.read(digits.data(), kDigits);
  if (digits != file.hex()) {
    throw IoError(
        fmt::format("{}: the checkpoint is damaged: its {} bytes give the digest {}, and it ends with "
                    "'{}'; resume from a copy of it, or start the run anew",
                    path.string(), size - kDigits, file.hex(), printable(digits, kDigits)));
  }
  in.seekg(0);
  std::getline(in, line);
  try {
    state(Json::parse(line), in);
  } catch (const Json::exception& wrong) {
    throw IoError(fmt::format("{}: the checkpoint's first line is not what --checkpoint writes: {}",
                              path.string(), wrong.what()));
  }
}

std::string program_file_digest() {
  DigestedFile file("/proc/self/exe", O_RDONLY);
  if (!file.is_open()) return "";
  file.read(std::numeric_limits<std::uint64_t>::max());
  return file.reason() == 0 ? file.hex() : "";
}

}  // namespace tokencycle::host
