// SPDX-License-Identifier: Apache-2.0
// Request traces as text, plain or gzipped, in the forms of trace_form.h: one request per line.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memory/dram/replay.h"
#include "memory/dram/trace_form.h"

struct gzFile_s;  // zlib's

namespace tokencycle::memory {

struct DramTraceOptions {
  std::uint64_t capacity_bytes = 0;  // addresses are below it
  std::uint64_t tck_ps = 1;          // of the memory's clock, for traces with times
  bool wrap = false;                 // take addresses modulo the capacity
};

// Reads a trace line by line; memory does not grow with its length. traces/README.md documents the forms; the
// first line with a request decides which one it is. Blank lines and lines that begin with '#' say nothing.
// Clocks must not decrease.
class DramTraceReader : public DramRequestSource {
 public:
  // `path`: a file, or "-" for standard input. Throws IoError.
  DramTraceReader(const std::string& path, const DramTraceOptions& options);
  ~DramTraceReader() override;

  // Throws ProgramError with file, line and text for a line that is no request, and at the end of a trace
  // without any; IoError for a file that cannot be read or a gzip file that is damaged or cut off.
  bool next(DramRequestAt& request) override;

  // After the first request.
  const DramTraceForm& form() const { return *form_; }
  std::uint64_t wrapped() const { return wrapped_; }  // requests whose address was beyond the memory

 private:
  bool next_line(std::string_view& line);
  bool refill();
  bool parse(std::string_view line, DramRequestAt& request);
  bool parse_plain(std::string_view line, DramRequestAt& request);
  DramTraceFields fields_of(std::string_view line, const DramTraceWords& words);
  std::uint64_t address_of(std::string_view line, std::string_view word);
  std::uint32_t bytes_of(std::string_view line, std::string_view word) const;
  Clock clock_of(std::string_view line, std::string_view word) const;
  [[noreturn]] void refuse(std::string_view line, const std::string& what) const;

  struct Close {
    void operator()(gzFile_s* file) const;
  };
  std::string name_;
  DramTraceOptions options_;
  const DramTraceForm* form_ = nullptr;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of the text not yet read, in buffer_
  bool ended_ = false;               // nothing comes behind it
  std::uint64_t line_ = 0, requests_ = 0;
  Clock last_ = 0;  // the last clock given
  std::uint64_t wrapped_ = 0;
  std::optional<DramRequestAt> write_back_;  // behind the request before
};

}  // namespace tokencycle::memory
