// SPDX-License-Identifier: Apache-2.0
#include "explore/page/text.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace tokencycle::explore {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

// The character at `at`, which moves behind it. A byte that begins none is U+FFFD.
char32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || at + more > text.size()) return kReplacement;
  char32_t character = first & (0x3Fu >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return kReplacement;
    character = (character << 6) | (byte(at + i) & 0x3Fu);
  }
  constexpr std::array<char32_t, 4> kLeast = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
  if (character < kLeast[more] || character > 0x10FFFF || surrogate) return kReplacement;
  at += more;
  return character;
}

// Not to be seen, or with an effect on what stands around it.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F || c == 0x61C ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void append(std::string& out, char32_t c) {
  const auto add = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | (c >> 6)), add(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    add(0xE0 | (c >> 12)), add(0x80 | ((c >> 6) & 0x3F)), add(0x80 | (c & 0x3F));
  } else {
    add(0xF0 | (c >> 18)), add(0x80 | ((c >> 12) & 0x3F)), add(0x80 | ((c >> 6) & 0x3F)),
        add(0x80 | (c & 0x3F));
  }
}

std::string html(std::string_view text, std::size_t most, bool breaks) {
  std::string out;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    if (characters == most) return out + "…";
    const char32_t c = next_character(text, at);
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\n':
        out += breaks ? "\n" : "↵";
        break;
      case '\t':
        out += ' ';
        break;
      default:
        append(out, is_control(c) ? kReplacement : c);
    }
  }
  return out;
}

bool needs_no_quotes(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-+=.,:/@%").find(static_cast<char>(c)) != std::string_view::npos;
}

std::string packed(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string out(size, '\0');
  const int status = compress2(reinterpret_cast<Bytef*>(out.data()), &size,  // NOLINT: zlib's bytes
                               reinterpret_cast<const Bytef*>(text.data()), text.size(), Z_BEST_COMPRESSION);
  if (status != Z_OK) throw std::bad_alloc();
  out.resize(size);
  return out;
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t b = 0; b < 3; ++b) {
      word = word << 8 | (i + b < bytes.size() ? static_cast<unsigned char>(bytes[i + b]) : 0u);
    }
    for (std::size_t l = 0; l < 4; ++l) {
      out += i + l > bytes.size() ? '=' : kLetters[word >> (18 - 6 * l) & 63];
    }
  }
  return out;
}

}  // namespace

std::string html_text(std::string_view text, std::size_t most) {
  return html(text, most, false);
}

std::string html_block(std::string_view text, std::size_t most) {
  return html(text, most, true);
}

std::string packed_json(const nlohmann::ordered_json& value) {
  return base64(packed(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)));
}

std::string shell_word(std::string_view text) {
  std::string plain, quoted, escaped;
  bool needs_quotes = text.empty(), needs_escapes = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_character(text, at);
    const std::string_view bytes = text.substr(begin, at - begin);
    const bool hidden = is_control(c) || (c == kReplacement && bytes.size() == 1);
    needs_quotes |= c > 0x7F || !needs_no_quotes(c);
    needs_escapes |= hidden;
    plain += bytes;
    quoted += c == '\'' ? "'\\''" : std::string(bytes);
    if (c == '\'' || c == '\\') {
      escaped += '\\', escaped += static_cast<char>(c);
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (hidden) {  // octal: at most three digits, so that what follows is no part of it
      for (const char byte : bytes) escaped += fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
    } else {
      escaped += bytes;
    }
  }
  if (needs_escapes) return fmt::format("$'{}'", escaped);
  return needs_quotes ? fmt::format("'{}'", quoted) : plain;
}

std::string number_text(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  const std::string text = fmt::format("{:.{}f}", std::abs(value), digits);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string out;
  for (std::size_t i = 0; i < point; ++i) {
    if (i != 0 && (point - i) % 3 == 0) out += ',';
    out += text[i];
  }
  out += text.substr(point);
  const bool zero = text.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? fmt::format("−{}", out) : out;
}

std::string count_text(std::uint64_t value) {
  return with_separators(value);
}

std::string signed_text(double value, int digits) {
  const std::string text = number_text(value, digits);
  const bool zero = text.find_first_not_of("0.,") == std::string::npos;
  return value > 0 && !zero ? fmt::format("+{}", text) : text;
}

std::string change_text(double before, double after) {
  return before > 0 ? signed_text(100 * (after - before) / before, 1) + " %" : "";
}

std::string share_text(double part, double whole) {
  return whole > 0 ? number_text(100 * part / whole, 1) + " %" : "0 %";
}

std::string scaled_text(double value, std::string_view unit) {
  constexpr std::array<std::string_view, 7> kPrefixes = {"", "k", "M", "G", "T", "P", "E"};
  if (!std::isfinite(value)) return "–";
  std::size_t prefix = 0;
  for (; std::abs(value) >= 999.5 && prefix + 1 < kPrefixes.size(); ++prefix) value /= 1000;
  const double size = std::abs(value);
  const int digits = size >= 99.95 || value == 0 ? 0 : size >= 9.995 ? 1 : 2;
  return number_text(value, digits) + " " + std::string(kPrefixes[prefix]) + std::string(unit);
}

std::string_view meaning_of(observe::Cause cause) {
  constexpr std::array<std::string_view, observe::kCauses> kMeanings = {
      "the array works: rows enter it",
      "the vector unit works",
      "the array waits while a tile of weights is shifted in",
      "the array waits for the stage that takes stored numbers apart",
      "a compute unit waits for a bank of the scratchpad",
      "a transfer is waited for while its bursts wait for the DMA engine's port",
      "a transfer is waited for while DRAM's data buses are in use",
      "a transfer is waited for while DRAM changes rows",
      "a transfer is waited for while a bank of DRAM is busy",
      "a transfer is waited for while a DRAM bus turns around",
      "a transfer is waited for while DRAM refreshes",
      "a transfer is waited for that is on its way from or to DRAM",
      "instruction words are waited for, or are on their way to the units",
      "results leave the array, or the program ends",
      "finished instructions wait for a writeback port",
      "the steps from a result to the instruction that waited for it"};
  return kMeanings[static_cast<std::size_t>(cause)];
}

std::string class_of(observe::Cause cause) {
  return fmt::format("k{}", static_cast<int>(cause));
}

}  // namespace tokencycle::explore
