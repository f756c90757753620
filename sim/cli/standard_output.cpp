// SPDX-License-Identifier: Apache-2.0
#include "cli/standard_output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "host/files.h"

namespace tokencycle::cli {

void print_now(std::string_view text, std::string_view remedy) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw OutputClosed("standard output was closed");
  throw IoError(fmt::format("standard output cannot be written: {}{}{}", std::strerror(errno),
                            remedy.empty() ? "" : "; ", remedy));
}

void write_output(const std::string& file, const std::string& text) {
  if (file == "-") {
    print_now(text);
  } else {
    host::write_text(file, text);
  }
}

std::string read_input(const std::string& file) {
  return host::read_text(file);
}

std::string text_or_file(const std::string& value) {
  if (value.starts_with("@@")) return value.substr(1);
  const bool file = value.size() > 1 && value.front() == '@';
  if (!file && value != "-") return value;
  std::string text = read_input(file ? value.substr(1) : value);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace tokencycle::cli
