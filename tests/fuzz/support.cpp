// SPDX-License-Identifier: Apache-2.0
#include "fuzz/support.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace tokencycle::fuzz {

MemoryFile::MemoryFile(Input contents) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  path_ = fmt::format("/proc/self/fd/{}", descriptor_);
  while (!contents.empty()) {
    const ssize_t written = ::write(descriptor_, contents.data(), contents.size());
    if (written <= 0) throw std::system_error(errno, std::generic_category(), "write to a memory file");
    contents = contents.subspan(static_cast<std::size_t>(written));
  }
}

MemoryFile::~MemoryFile() {
  ::close(descriptor_);
}

std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void check_refusal(const Error& error, std::string_view source, std::initializer_list<ExitCode> allowed,
                   bool lists) {
  const std::size_t longest = lists ? 65536 : 16384;
  const std::string_view message = error.what();
  const auto finding = [&](std::string_view why) {
    throw Finding(fmt::format("{} (exit code {}): {}", why, static_cast<int>(error.code()), message));
  };
  if (std::find(allowed.begin(), allowed.end(), error.code()) == allowed.end())
    finding("a kind of error that this reader does not document");
  if (!message.starts_with(source)) finding("a message that does not begin with the source");
  if (message.size() < source.size() + 10) finding("a message that says nothing");
  if (message.size() > longest) finding("a message that nobody can read");
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && !(lists && c == '\n')) || byte == 0x7f) finding("control characters in a message");
  }
}

void require(bool holds, std::string_view what) {
  if (!holds) throw Finding(std::string(what));
}

Bytes mutate_bytes(Input input, Random& random) {
  return mutate_text(input, random, {});
}

Bytes mutate_text(Input input, Random& random, std::initializer_list<std::string_view> words) {
  std::string text(text_of(input));
  for (std::size_t n = 1 + random.below(3); n > 0; --n) {
    const std::size_t at = random.below(text.size() + 1), length = 1 + random.below(12);
    switch (random.below(words.size() == 0 ? 4 : 6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random.next());
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(random.below(text.size() + 1), length * 4));
        break;
      case 3:
        text.insert(at, length, static_cast<char>(random.next()));
        break;
      default:
        text.insert(at, words.begin()[random.below(words.size())]);
    }
  }
  return bytes_of(text);
}

}  // namespace tokencycle::fuzz
