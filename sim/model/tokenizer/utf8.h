// SPDX-License-Identifier: Apache-2.0
// UTF-8 as the tokenizers need it: strict about what is valid, never refusing what is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tokencycle::model {

// Bytes of the valid UTF-8 sequence that begins at text[at] (1 to 4), or 0 when none does: a stray
// continuation byte, a cut, overlong or surrogate sequence, a code point above U+10FFFF. Requires at <
// text.size().
std::size_t utf8_sequence_length(std::string_view text, std::size_t at);

// Code point of a valid sequence of `length` bytes at text[at].
std::uint32_t utf8_code_point(std::string_view text, std::size_t at, std::size_t length);

// Appends the UTF-8 sequence of `code_point` (at most U+10FFFF).
void append_utf8(std::string& out, std::uint32_t code_point);

// Every `from` in `text` replaced by `to`, left to right. `from` is not empty.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

// The value of a byte token's spelling, "<0x41>" -> 0x41 (either case of hexadecimal digits), or -1.
int byte_token_value(std::string_view spelling);

}  // namespace tokencycle::model
