// SPDX-License-Identifier: Apache-2.0
// GTKWave's FST library behind an interface, so that the program can be built without it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tokencycle::observe {

// A file that is being written. Declarations come before the first time. All calls that write throw IoError
// (file, reason). Destroying it before finish() leaves no file.
class FstFile {
 public:
  virtual ~FstFile() = default;

  virtual void comment(const std::string& text) = 0;
  virtual void open_scope(const std::string& name) = 0;
  virtual void close_scope() = 0;
  // A table of the names of the values 0, 1, ...
  virtual std::uint32_t names(const std::string& table, std::span<const std::string> names,
                              std::uint32_t bits) = 0;
  // A variable; `names` is a table, or 0. Returns its handle.
  virtual std::uint32_t number(const std::string& name, std::uint32_t bits, std::uint32_t names) = 0;
  virtual std::uint32_t text(const std::string& name) = 0;

  virtual void time(std::uint64_t time) = 0;  // ascending
  virtual void set_number(std::uint32_t handle, std::uint32_t bits, std::uint64_t value) = 0;
  virtual void set_text(std::uint32_t handle, std::string_view text) = 0;
  // What is in memory goes to the file with the next time().
  virtual void flush() = 0;
  // Ends the file and reads its declarations back. The file stays under the name that it was given.
  virtual void finish() = 0;
};

// True if this program was built with the library.
bool can_write_fst();

// Creates `path`; errors name `shown` instead. Throws UsageError with the remedy when the program was built
// without the library, IoError.
std::unique_ptr<FstFile> create_fst_file(const std::filesystem::path& path, const std::string& shown);

}  // namespace tokencycle::observe
