// SPDX-License-Identifier: Apache-2.0
// The lexical part of assembly text: tokens with their places, numbers, names, and errors that point at them.
// Private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tokencycle::isa {

// A piece of one source line. Columns count bytes from 1.
struct Token {
  std::string_view text;
  std::string_view source;
  std::size_t line = 0, column = 0;
  // The part from byte `first` on, at most `count` bytes.
  Token part(std::size_t first, std::size_t count = std::string_view::npos) const {
    return {text.substr(first, count), source, line, column + first};
  }
};

// Throws ProgramError "source:line:column: what".
[[noreturn]] void refuse(const Token& at, const std::string& what);

// The tokens of one line: runs without blanks, where a "quoted part" may hold any character; `;` outside
// quotes starts a comment. Throws for a quote that does not end.
std::vector<Token> split_line(std::string_view text, std::string_view source, std::size_t number);

// Decimal or 0x hexadecimal, with an optional minus, in [least, most]; `what` names it in the error.
std::int64_t parse_integer(const Token& token, std::int64_t least, std::int64_t most, std::string_view what);

// Decimal fp32, rounded to nearest; inf and nan are numbers here.
float parse_float(const Token& token, std::string_view what);

// " (did you mean \"x\"?)" for the candidate nearest to `name`, or "" when none is near.
std::string suggestion(std::string_view name, std::span<const std::string_view> candidates);

// "a, b, c".
std::string join(std::span<const std::string_view> names);

// A name as it stands in assembly text: bare when that is possible, else in quotes with \" \\ and \xHH.
std::string quote_name(std::string_view name);
// The name in a bare or quoted token.
std::string parse_name(const Token& token);

}  // namespace tokencycle::isa
