// SPDX-License-Identifier: Apache-2.0
#include "model/mail.h"

#include <algorithm>

namespace tokencycle::model {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Whether a text begins as a header does.
bool is_header(std::string_view text) {
  if (text.starts_with("From ")) return true;
  const std::size_t end = text.find_first_not_of(
      "!\"#$%&'()*+,-./0123456789;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");
  return end != std::string_view::npos && end > 0 && text[end] == ':';
}

// What follows "Subject:" in the first such line.
std::string_view subject_of(std::string_view head) {
  constexpr std::string_view kName = "subject:";
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    const bool named =
        line.size() >= kName.size() &&
        std::equal(kName.begin(), kName.end(), line.begin(), [](char a, char b) { return a == lower(b); });
    if (named) return line.substr(kName.size());
    head.remove_prefix(std::min(line.size() + 1, head.size()));
  }
  return {};
}

void add_words(std::string& out, std::string_view text) {
  bool blank = true;  // before the next character
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 33) {
      blank = true;
      continue;
    }
    if (blank && !out.empty()) out += ' ';
    blank = false;
    out += byte < 127 ? c : '?';
  }
}

}  // namespace

std::string mail_text(std::string_view bytes) {
  std::string lines;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool part_of_end = bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n';
    if (!part_of_end) lines += bytes[i];
  }
  const std::string_view text = lines;
  const std::size_t empty = std::min(text.find("\n\n"), text.size());
  std::string out;
  if (!is_header(text.substr(0, empty))) {
    add_words(out, text);
    return out;
  }
  add_words(out, subject_of(text.substr(0, empty)));
  add_words(out, text.substr(std::min(empty + 2, text.size())));
  return out;
}

}  // namespace tokencycle::model
