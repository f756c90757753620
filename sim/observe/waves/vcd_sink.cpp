// SPDX-License-Identifier: Apache-2.0
#include "observe/waves/vcd_sink.h"

#include <fmt/format.h>

#include <bit>

#include "base/error.h"
#include "observe/waves/scopes.h"

namespace tokencycle::observe {

namespace {

// A last time and the mark, whose letters may each take four.
constexpr std::uint64_t kReserve = 64 + 4 * WaveSink::kLongestMark;

// Identifier codes count in base 94 with the digits '!' to '~'.
std::string code_of(std::size_t signal) {
  std::string code;
  for (std::size_t rest = signal + 1; rest > 0; rest = (rest - 1) / 94) {
    code += static_cast<char>('!' + (rest - 1) % 94);
  }
  return code;
}

// A string value ends at the first blank, so blanks and what does not print are written in octal: \040.
void append_escaped(std::string& to, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f && c != '\\') {
      to += c;
    } else {
      fmt::format_to(std::back_inserter(to), "\\{:03o}", byte);
    }
  }
}

// Binary without leading zeros.
void append_binary(std::string& to, std::uint64_t value) {
  for (auto bit = static_cast<int>(std::bit_width(value | 1)) - 1; bit >= 0; --bit) {
    to += static_cast<char>('0' + (value >> bit & 1));
  }
}

// $ begins keywords, also inside comments.
std::string comment(std::string text) {
  for (char& c : text) {
    if (c == '$' || static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

}  // namespace

VcdSink::VcdSink(const TraceOptions& options, const std::vector<WaveSignal>& signals)
    : file_(options.path, options.max_bytes) {
  for (std::size_t i = 0; i < signals.size(); ++i) {
    codes_.push_back(code_of(i));
    named_.push_back(signals[i].bits == 0 || signals[i].names != nullptr);
  }
  const std::string text = header(options.title, signals);
  if (!file_.has_room(text.size() + kReserve)) {
    throw UsageError(
        fmt::format("{}: the names of the signals alone take more than {} bytes; allow at least {}",
                    options.path.string(), options.max_bytes, text.size() + kReserve));
  }
  file_.write(text);
}

// No date: equal runs give equal files.
std::string VcdSink::header(const std::string& title, const std::vector<WaveSignal>& signals) const {
  std::string text = "$version tokencycle $end\n";
  for (const std::string& line : wave_comments(title)) {
    text += fmt::format("$comment {} $end\n", comment(line));
  }
  text += "$timescale 1 ns $end\n";
  ScopeWalk scopes;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    scopes.move_to(
        signals[i].scope, [&] { text += "$upscope $end\n"; },
        [&](const std::string& name) { text += fmt::format("$scope module {} $end\n", name); });
    if (named_[i]) {
      text += fmt::format("$var string 1 {} {} $end\n", codes_[i], signals[i].name);
    } else {
      text += fmt::format("$var wire {} {} {} $end\n", signals[i].bits, codes_[i], signals[i].name);
    }
  }
  scopes.move_to(
      "", [&] { text += "$upscope $end\n"; }, [](const std::string&) {});
  return text + "$enddefinitions $end\n";
}

void VcdSink::format(std::span<const WaveChange> changes) {
  for (const WaveChange& c : changes) {
    if (named_[c.signal]) {
      buffer_ += 's';
      append_escaped(buffer_, c.text);
    } else {
      buffer_ += 'b';
      append_binary(buffer_, c.value);
    }
    buffer_ += ' ';
    buffer_ += codes_[c.signal];
    buffer_ += '\n';
  }
}

bool VcdSink::write(Cycle time, std::span<const WaveChange> changes) {
  buffer_.clear();
  fmt::format_to(std::back_inserter(buffer_), "#{}\n", time.value);
  if (!begun_) buffer_ += "$dumpvars\n";
  format(changes);
  if (!begun_) buffer_ += "$end\n";
  if (!file_.has_room(buffer_.size() + kReserve)) return false;
  file_.write(buffer_);
  begun_ = true;
  time_ = time;
  return true;
}

void VcdSink::finish(Cycle end, std::span<const WaveChange> mark) {
  buffer_.clear();
  if (!begun_ || end > time_) fmt::format_to(std::back_inserter(buffer_), "#{}\n", end.value);
  format(mark);
  file_.write(buffer_);
  file_.commit();
}

std::unique_ptr<WaveSink> make_vcd_sink(const TraceOptions& options, const std::vector<WaveSignal>& signals) {
  return std::make_unique<VcdSink>(options, signals);
}

}  // namespace tokencycle::observe
