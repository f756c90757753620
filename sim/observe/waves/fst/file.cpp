// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <fstapi.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "base/error.h"
#include "observe/waves/fst/library.h"
#include "observe/waves/fst_file.h"

namespace tokencycle::observe {

namespace {

class LibraryFile : public FstFile {
 public:
  LibraryFile(std::filesystem::path path, std::string shown);
  ~LibraryFile() override;
  LibraryFile(const LibraryFile&) = delete;
  LibraryFile& operator=(const LibraryFile&) = delete;

  void comment(const std::string& text) override { fstWriterSetComment(writer_, text.c_str()); }
  void open_scope(const std::string& name) override {
    ++scopes_;
    fstWriterSetScope(writer_, FST_ST_VCD_MODULE, name.c_str(), nullptr);
  }
  void close_scope() override { fstWriterSetUpscope(writer_); }
  std::uint32_t names(const std::string& table, std::span<const std::string> names,
                      std::uint32_t bits) override;
  std::uint32_t number(const std::string& name, std::uint32_t bits, std::uint32_t names) override;
  std::uint32_t text(const std::string& name) override {
    ++variables_;
    return fstWriterCreateVar(writer_, FST_VT_GEN_STRING, FST_VD_IMPLICIT, 0, name.c_str(), 0);
  }

  void time(std::uint64_t time) override;
  void set_number(std::uint32_t handle, std::uint32_t bits, std::uint64_t value) override {
    fstWriterEmitValueChange64(writer_, handle, bits, value);
  }
  void set_text(std::uint32_t handle, std::string_view text) override {
    fstWriterEmitVariableLengthValueChange(writer_, handle, text.data(),
                                           static_cast<std::uint32_t>(text.size()));
  }
  void flush() override {
    fstWriterFlushContext(writer_);
    flushing_ = true;
  }
  void finish() override;

 private:
  void check_written();
  void check_readable() const;
  [[noreturn]] void fail(const char* what, int error) const;

  const std::filesystem::path path_;
  const std::string shown_;
  void* writer_ = nullptr;
  bool flushing_ = false, finished_ = false;
  std::uint64_t variables_ = 0, scopes_ = 0, time_ = 0;
};

LibraryFile::LibraryFile(std::filesystem::path path, std::string shown)
    : path_(std::move(path)), shown_(std::move(shown)) {
  errno = 0;
  writer_ = fstWriterCreate(path_.c_str(), 1);
  if (writer_ == nullptr) {  // and the library leaves what it had begun
    const int error = errno;
    for (const char* suffix : {"", ".hier"}) {
      std::error_code ignored;
      std::filesystem::remove(std::filesystem::path(path_).concat(suffix), ignored);
    }
    fail("cannot be created", error);
  }
  fstWriterSetPackType(writer_, FST_WR_PT_LZ4);
  fstWriterSetTimescale(writer_, -9);
  fstWriterSetVersion(writer_, "tokencycle");
  fstWriterSetDate(writer_, "");  // equal runs give equal files
}

LibraryFile::~LibraryFile() {
  if (writer_ != nullptr) fstWriterClose(writer_);
  if (finished_) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

std::uint32_t LibraryFile::names(const std::string& table, std::span<const std::string> names,
                                 std::uint32_t bits) {
  std::vector<std::string> values;
  std::vector<const char*> name_pointers, value_pointers;
  for (std::size_t v = 0; v < names.size(); ++v) {
    std::string value;
    for (std::uint32_t bit = bits; bit-- > 0;) value += (v >> bit & 1) != 0 ? '1' : '0';
    values.push_back(value);
  }
  for (std::size_t v = 0; v < names.size(); ++v) {
    name_pointers.push_back(names[v].c_str());
    value_pointers.push_back(values[v].c_str());
  }
  return fstWriterCreateEnumTable(writer_, table.c_str(), static_cast<std::uint32_t>(names.size()), bits,
                                  name_pointers.data(), value_pointers.data());
}

std::uint32_t LibraryFile::number(const std::string& name, std::uint32_t bits, std::uint32_t names) {
  ++variables_;
  if (names != 0) fstWriterEmitEnumTableRef(writer_, names);
  return fstWriterCreateVar(writer_, FST_VT_VCD_WIRE, FST_VD_IMPLICIT, bits, name.c_str(), 0);
}

void LibraryFile::time(std::uint64_t time) {
  time_ = time;
  fstWriterEmitTimeChange(writer_, time);
  if (std::exchange(flushing_, false)) check_written();
}

void LibraryFile::check_written() {
  errno = 0;
  if (fst_write_failed(writer_)) fail("cannot be written", errno);
}

// The library writes the last block and the declarations when it closes, and reports nothing. So what it can
// write is tried before, and what it wrote is read back.
void LibraryFile::finish() {
  fstWriterFlushContext(writer_);
  fstWriterEmitTimeChange(writer_, time_);
  check_written();
  fstWriterClose(std::exchange(writer_, nullptr));
  check_readable();
  finished_ = true;
}

void LibraryFile::check_readable() const {
  void* reader = fstReaderOpen(path_.c_str());
  if (reader == nullptr) fail("cannot be read back", EIO);
  std::uint64_t variables = 0, scopes = 0;
  while (const fstHier* h = fstReaderIterateHier(reader)) {
    variables += h->htyp == FST_HT_VAR ? 1 : 0;
    scopes += h->htyp == FST_HT_SCOPE ? 1 : 0;
  }
  const bool complete = variables == variables_ && scopes == scopes_ &&
                        fstReaderGetVarCount(reader) == variables_ && fstReaderGetEndTime(reader) == time_;
  fstReaderClose(reader);
  if (!complete) fail("is incomplete; is the disk full?", EIO);
}

void LibraryFile::fail(const char* what, int error) const {
  if (error == ENOMEM) throw std::bad_alloc();
  throw IoError(fmt::format("{}: the trace {}: {}", shown_, what, std::strerror(error == 0 ? EIO : error)));
}

}  // namespace

bool can_write_fst() {
  return true;
}

std::unique_ptr<FstFile> create_fst_file(const std::filesystem::path& path, const std::string& shown) {
  return std::make_unique<LibraryFile>(path, shown);
}

}  // namespace tokencycle::observe
