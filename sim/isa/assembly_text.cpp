// SPDX-License-Identifier: Apache-2.0
#include "isa/assembly_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace tokencycle::isa {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '/' || c == ':';
}

// The byte behind the quote that opens at `first`.
std::size_t quote_end(const Token& line, std::size_t first) {
  for (std::size_t i = first + 1; i < line.text.size(); ++i) {
    if (line.text[i] == '\\') {
      ++i;
    } else if (line.text[i] == '"') {
      return i + 1;
    }
  }
  refuse(line.part(first), "the quote does not end on this line");
}

}  // namespace

void refuse(const Token& at, const std::string& what) {
  constexpr std::size_t kLongest = 1000;  // what is refused may be a line of any length
  throw ProgramError(fmt::format("{}:{}:{}: {}", at.source, at.line, at.column, printable(what, kLongest)));
}

std::vector<Token> split_line(std::string_view text, std::string_view source, std::size_t number) {
  const Token line{text, source, number, 1};
  std::vector<Token> tokens;
  std::size_t i = 0;
  while (i < text.size() && text[i] != ';') {
    if (is_blank(text[i])) {
      ++i;
      continue;
    }
    const std::size_t first = i;
    while (i < text.size() && text[i] != ';' && !is_blank(text[i]))
      i = text[i] == '"' ? quote_end(line, i) : i + 1;
    tokens.push_back(line.part(first, i - first));
  }
  return tokens;
}

std::int64_t parse_integer(const Token& token, std::int64_t least, std::int64_t most, std::string_view what) {
  std::string_view digits = token.text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const int base = digits.starts_with("0x") ? 16 : 10;
  if (base == 16) digits.remove_prefix(2);
  std::uint64_t magnitude = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, magnitude, base);
  const bool too_large = error == std::errc::result_out_of_range;
  if (stop != end || (error != std::errc{} && !too_large)) {
    refuse(token,
           fmt::format("{} is \"{}\"; expected a number, decimal or 0x hexadecimal", what, token.text));
  }
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 62;
  if (!too_large && magnitude < kLimit) {
    const auto value =
        negative ? -static_cast<std::int64_t>(magnitude) : static_cast<std::int64_t>(magnitude);
    if (value >= least && value <= most) return value;
  }
  refuse(token, fmt::format("{} is {}; allowed: {} .. {}", what, token.text, least, most));
}

float parse_float(const Token& token, std::string_view what) {
  float value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto [stop, error] = std::from_chars(token.text.data(), end, value);
  if (stop == end && error == std::errc{}) return value;
  const bool out_of_range = stop == end && error == std::errc::result_out_of_range;
  refuse(token, fmt::format("{} is \"{}\"; expected {}", what, token.text,
                            out_of_range ? "a number within the range of fp32" : "a decimal number"));
}

std::string suggestion(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongest = 64;  // no name of the language is near anything longer
  if (name.size() > kLongest) return "";
  const std::string best = nearest(name, std::vector<std::string>(candidates.begin(), candidates.end()));
  return best.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", best);
}

std::string join(std::span<const std::string_view> names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string quote_name(std::string_view name) {
  if (!name.empty() && std::all_of(name.begin(), name.end(), is_bare)) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code < 0x20 || code == 0x7f) {
      out += fmt::format("\\x{:02x}", code);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string parse_name(const Token& token) {
  if (!token.text.starts_with('"')) {
    if (std::all_of(token.text.begin(), token.text.end(), is_bare)) return std::string(token.text);
    refuse(token, fmt::format("\"{}\" is no name; put names with other than letters, digits and _ . - / : in "
                              "double quotes",
                              token.text));
  }
  const std::size_t end = quote_end(token, 0);
  if (end != token.text.size()) refuse(token.part(end), "expected a blank after the quoted name");
  std::string name;
  for (std::size_t i = 1; i + 1 < end; ++i) {
    if (token.text[i] != '\\') {
      name += token.text[i];
      continue;
    }
    const char escape = token.text[++i];
    if (escape == '"' || escape == '\\') {
      name += escape;
      continue;
    }
    unsigned code = 0;
    const std::string_view digits = token.text.substr(i + 1, std::min<std::size_t>(2, end - i - 2));
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (escape != 'x' || digits.size() != 2 || stop != digits.data() + 2 || error != std::errc{}) {
      refuse(token.part(i - 1), "unknown escape in a quoted name; allowed: \\\" \\\\ \\xHH");
    }
    name += static_cast<char>(code);
    i += 2;
  }
  return name;
}

}  // namespace tokencycle::isa
