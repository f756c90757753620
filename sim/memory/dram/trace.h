// SPDX-License-Identifier: Apache-2.0
// Request traces as text, plain or gzipped: a line "R|W ADDRESS [CLOCK]" a request.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "memory/dram/replay.h"

struct gzFile_s;  // zlib's

namespace tokencycle::memory {

// Reads a trace line by line; memory does not grow with its length. traces/README.md documents the format.
// Blank lines and lines that begin with '#' say nothing. Clocks must not decrease.
class DramTraceReader : public DramRequestSource {
 public:
  // `path`: a file, or "-" for standard input. Addresses are below `capacity_bytes`. Throws IoError.
  DramTraceReader(const std::string& path, std::uint64_t capacity_bytes);
  ~DramTraceReader() override;

  // Throws ProgramError with file, line and text for a line that is no request, and at the end of a trace
  // without any; IoError for a file that cannot be read or a gzip file that is damaged or cut off.
  bool next(DramRequestAt& request) override;

 private:
  bool next_line(std::string_view& line);
  bool refill();
  bool parse(std::string_view line, DramRequestAt& request);
  std::uint64_t address_of(std::string_view line, std::string_view word) const;
  Clock clock_of(std::string_view line, std::string_view word) const;
  [[noreturn]] void refuse(std::string_view line, const std::string& what) const;

  struct Close {
    void operator()(gzFile_s* file) const;
  };
  std::string name_;
  std::uint64_t capacity_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of the text not yet read, in buffer_
  bool ended_ = false;               // nothing comes behind it
  std::uint64_t line_ = 0, requests_ = 0;
  Clock last_ = 0;  // the last clock given
};

}  // namespace tokencycle::memory
