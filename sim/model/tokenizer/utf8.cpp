// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/utf8.h"

#include <charconv>

namespace tokencycle::model {

namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

// Length that the lead byte announces; 0 for a byte that leads nothing (Unicode 15, table 3-7).
std::size_t announced_length(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Bounds of the second byte: they exclude overlong forms, surrogates and what is above U+10FFFF.
bool valid_second(std::uint8_t lead, std::uint8_t second) {
  const std::uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text, std::size_t at) {
  const std::uint8_t lead = byte_at(text, at);
  const std::size_t length = announced_length(lead);
  if (length <= 1) return length;
  if (text.size() - at < length || !valid_second(lead, byte_at(text, at + 1))) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, at + i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

std::uint32_t utf8_code_point(std::string_view text, std::size_t at, std::size_t length) {
  const std::uint32_t lead = byte_at(text, at);
  if (length == 1) return lead;
  std::uint32_t value = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (byte_at(text, at + i) & 0x3Fu);
  return value;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto continuation = [&](int shift) {
    out += static_cast<char>(0x80u | ((code_point >> shift) & 0x3Fu));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0u | code_point >> 6);
    continuation(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0u | code_point >> 12);
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xF0u | code_point >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  for (std::size_t hit = 0; (hit = text.find(from, at)) != std::string_view::npos; at = hit + from.size()) {
    out.append(text.substr(at, hit - at)).append(to);
  }
  return out.append(text.substr(at));
}

int byte_token_value(std::string_view spelling) {
  if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling.back() != '>') return -1;
  std::uint8_t value = 0;
  const char* end = spelling.data() + 5;
  const auto result = std::from_chars(spelling.data() + 3, end, value, 16);
  return result.ec == std::errc{} && result.ptr == end ? value : -1;
}

}  // namespace tokencycle::model
