// SPDX-License-Identifier: Apache-2.0
#include "memory/dram/trace.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/read_file.h"
#include "base/text.h"
#include "config/violations.h"

namespace tokencycle::memory {

namespace {

constexpr std::size_t kBufferBytes = 1 << 18;
constexpr std::size_t kLongestLine = 256;  // bytes; the longest line that says anything has about 50
constexpr unsigned kPhysicalBits = 40;     // 1 TiB; no trace of a memory that we describe needs more
constexpr const char* kRemedy =
    "a line is R or W, an address and, if wanted, the clock of arrival, as in \"R 0x1f40 120\"; "
    "traces/README.md lists the forms of other programs";

// The whole word as a number. std::errc() where it is one.
std::errc parse_number(std::string_view word, int base, std::uint64_t& value) {
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  return error == std::errc() && rest != word.data() + word.size() ? std::errc::invalid_argument : error;
}

// The digits from `at` on, at least one and so few that they cannot overflow; the end of them, nullptr
// otherwise.
const char* hexadecimal(const char* at, const char* end, std::uint64_t& value) {
  static constexpr std::array<std::uint8_t, 256> kDigits = [] {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(16);
    for (std::uint8_t d = 0; d < 10; ++d) digits[static_cast<std::size_t>('0' + d)] = d;
    for (std::uint8_t d = 10; d < 16; ++d)
      digits[static_cast<std::size_t>('a' + d - 10)] = digits[static_cast<std::size_t>('A' + d - 10)] = d;
    return digits;
  }();
  const char* const begin = at;
  for (; at != end; ++at) {
    const std::uint8_t digit = kDigits[static_cast<unsigned char>(*at)];
    if (digit > 15) break;
    value = value << 4 | digit;
  }
  return at == begin || at - begin > 16 ? nullptr : at;
}
const char* decimal(const char* at, const char* end, std::uint64_t& value) {
  const char* const begin = at;
  for (; at != end; ++at) {
    const auto digit = static_cast<unsigned>(*at - '0');
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  return at == begin || at - begin > 19 ? nullptr : at;
}

}  // namespace

void DramTraceReader::Close::operator()(gzFile_s* file) const {
  gzclose(file);
}

DramTraceReader::DramTraceReader(const std::string& path, const DramTraceOptions& options)
    : name_(shown_name(path)), options_(options), buffer_(kBufferBytes) {
  const auto fail = [this](const char* why) {
    throw IoError(fmt::format("{}: cannot be read: {}", name_, why));
  };
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored)) fail("it is a folder; name a file in it");
  if (path == "-") take_standard_input();
  errno = 0;
  file_.reset(path == "-" ? gzdopen(::dup(STDIN_FILENO), "rb") : gzopen(path.c_str(), "rb"));
  if (file_ == nullptr) fail(std::strerror(errno != 0 ? errno : ENOMEM));
}

DramTraceReader::~DramTraceReader() = default;

bool DramTraceReader::next(DramRequestAt& request) {
  if (write_back_) {
    request = *std::exchange(write_back_, {});
    return true;
  }
  std::string_view line;
  while (next_line(line)) {
    if (!parse(line, request)) continue;
    ++requests_;
    return true;
  }
  if (requests_ == 0) {
    throw ProgramError(
        fmt::format("{}: no requests in {} lines; {}", name_, with_separators(line_), kRemedy));
  }
  return false;
}

bool DramTraceReader::next_line(std::string_view& line) {
  for (;;) {
    const char* const begin = buffer_.data() + begin_;
    const std::size_t there = end_ - begin_;
    const auto* const newline = static_cast<const char*>(std::memchr(begin, '\n', there));
    if (newline == nullptr && there <= kLongestLine && refill()) continue;
    if (newline == nullptr && there == 0) return false;
    const std::size_t length = newline == nullptr ? there : static_cast<std::size_t>(newline - begin);
    ++line_;
    line = {begin, length};
    if (length > kLongestLine) {
      refuse(line, fmt::format("the line is longer than {} bytes; {}", kLongestLine, kRemedy));
    }
    begin_ += length + (newline == nullptr ? 0 : 1);
    return true;
  }
}

// Reads on behind the text that is left; false at the end of the file.
bool DramTraceReader::refill() {
  if (ended_) return false;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const auto room = static_cast<unsigned>(buffer_.size() - end_);
  errno = 0;
  const int read = gzread(file_.get(), buffer_.data() + end_, room);
  if (read <= 0) {  // before that, the text in front of a damage is read
    int error = Z_OK;
    const char* const what = gzerror(file_.get(), &error);
    if (error == Z_ERRNO) {
      throw IoError(fmt::format("{}: cannot be read behind line {}: {}", name_, line_, std::strerror(errno)));
    }
    if (error != Z_OK) {
      throw IoError(
          fmt::format("{}: the gzip data are damaged or cut off behind line {} ({}); copy or compress "
                      "the file again",
                      name_, line_, what));
    }
    ended_ = true;
    return false;
  }
  end_ += static_cast<std::size_t>(read);
  return true;
}

bool DramTraceReader::parse(std::string_view line, DramRequestAt& request) {
  if (form_ != nullptr && form_->plain != DramTracePlain::none && parse_plain(line, request)) return true;
  const DramTraceWords words = split_trace_line(line);
  if (words.count == 0 || words[0][0] == '#') return false;
  const DramTraceFields fields = fields_of(line, words);
  request = {address_of(line, fields.address), 0, fields.write, bytes_of(line, fields.bytes)};
  if (!fields.time.empty()) last_ = request.at = clock_of(line, fields.time);
  if (!fields.write_back.empty()) {
    write_back_ = {address_of(line, fields.write_back), request.at, true, request.bytes};
  }
  return true;
}

// A line of a plain form with one blank between its words and nothing wrong with it: parse() gives the same
// request. False for any other line, about which parse() says more.
bool DramTraceReader::parse_plain(std::string_view line, DramRequestAt& request) {
  const char *at = line.data(), *end = at + line.size();
  const bool kind_first = form_->plain == DramTracePlain::kind_first;
  if (line.size() < 3 || (kind_first ? at[1] : end[-2]) != ' ') return false;
  const char kind = static_cast<char>((kind_first ? at[0] : end[-1]) | 0x20);
  if (kind != 'r' && kind != 'w') return false;
  (kind_first ? at : end) += kind_first ? 2 : -2;
  std::uint64_t address = 0;
  if (end - at > 2 && at[0] == '0' && at[1] == 'x') {
    at = hexadecimal(at + 2, end, address);
  } else {
    at = decimal(at, end, address);
  }
  if (at == nullptr || address >= options_.capacity_bytes) return false;
  Clock clock = 0;
  if (at != end) {
    at = kind_first && *at == ' ' ? decimal(at + 1, end, clock) : nullptr;
    if (at != end || clock > kLastArrival || clock < last_) return false;
    last_ = clock;
  }
  request = {address, clock, kind == 'w', 0};
  return true;
}

DramTraceFields DramTraceReader::fields_of(std::string_view line, const DramTraceWords& words) {
  DramTraceFields fields;
  if (form_ != nullptr) {
    if (form_->read(words, fields)) return fields;
    refuse(line, fmt::format("no line of this trace's form ({}: {}), which its first line decides",
                             form_->name, form_->line));
  }
  for (const DramTraceForm& form : dram_trace_forms()) {
    fields = {};
    if (!form.read(words, fields)) continue;
    if (!form.refused.empty()) refuse(line, fmt::format("{}: {}", form.name, form.refused));
    form_ = &form;
    return fields;
  }
  refuse(line, fmt::format("no request in a form that is known; {}", kRemedy));
}

std::uint64_t DramTraceReader::address_of(std::string_view line, std::string_view word) {
  if (word.empty()) refuse(line, fmt::format("the address is missing; {}", kRemedy));
  const bool hexadecimal = word.size() > 2 && word[0] == '0' && (word[1] & ~0x20) == 'X';
  std::uint64_t address = 0;
  const std::errc error = parse_number(hexadecimal ? word.substr(2) : word, hexadecimal ? 16 : 10, address);
  if (error == std::errc::invalid_argument) {
    refuse(line, fmt::format("the address must be a hexadecimal number that begins with 0x, or a decimal "
                             "number; {}",
                             kRemedy));
  }
  const std::uint64_t capacity = options_.capacity_bytes;
  if (error == std::errc() && address < capacity) return address;
  if (error == std::errc() && options_.wrap) {
    ++wrapped_;
    return address % capacity;
  }
  refuse(line,
         fmt::format("the address is beyond the memory; allowed: 0 to {:#x} ({}); {}--wrap takes addresses "
                     "modulo the memory's size, or take a larger memory (more \"channels\")",
                     capacity - 1, bytes_text(capacity),
                     address >> kPhysicalBits != 0 ? "it looks like a virtual address of a program: " : ""));
}

// 0: not given.
std::uint32_t DramTraceReader::bytes_of(std::string_view line, std::string_view word) const {
  std::uint64_t bytes = 0;
  if (word.empty()) return 0;
  const std::errc error = parse_number(word, 10, bytes);
  if (error == std::errc() && bytes >= 1 && bytes <= kLargestDramRequest)
    return static_cast<std::uint32_t>(bytes);
  refuse(line,
         fmt::format("a request has 1 to {} bytes; split larger ones", with_separators(kLargestDramRequest)));
}

Clock DramTraceReader::clock_of(std::string_view line, std::string_view word) const {
  Clock clock = 0;
  const std::errc error = parse_number(word, 10, clock);
  if (form_->time == DramTraceTime::picoseconds) clock /= options_.tck_ps;
  if (error != std::errc() || clock > kLastArrival) {
    refuse(line, fmt::format("the clock of arrival must be a whole number, 0 to {}; {}",
                             with_separators(kLastArrival), kRemedy));
  }
  if (clock < last_) {
    refuse(line,
           fmt::format("the clock of arrival is before {}, that of an earlier line; sort the trace by its "
                       "clocks",
                       last_));
  }
  return clock;
}

void DramTraceReader::refuse(std::string_view line, const std::string& what) const {
  throw ProgramError(fmt::format("{}:{}: \"{}\": {}", name_, line_,
                                 config::escaped(config::shortened(std::string(line))), what));
}

}  // namespace tokencycle::memory
