// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/status_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace tokencycle::cli {

namespace {

// The control sequences of a VT100, which every terminal of today knows.
constexpr const char* kSave =
    "\x1b"
    "7";  // DECSC: cursor and attributes
constexpr const char* kRestore =
    "\x1b"
    "8";  // DECRC
constexpr const char* kRoomBelow =
    "\x1b"
    "D\x1b[A";  // IND, CUU: the row below exists; the column stays
// The whole screen scrolls again (DECSTBM, which moves the cursor), and what is below the text is cleared
// (ED).
constexpr const char* kTakeAway =
    "\x1b"
    "7\x1b[r\x1b"
    "8\x1b[J";

// A terminal that is gone is no reason to end a run.
void write_terminal(std::string_view text) {
  static_cast<void>(std::fflush(stdout));  // the text so far comes first
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

bool StatusLine::possible() {
  struct stat out {
  }, err{};
  const char* term = std::getenv("TERM");
  const char* plain = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1 && ::fstat(STDOUT_FILENO, &out) == 0 &&
         ::fstat(STDERR_FILENO, &err) == 0 && out.st_rdev == err.st_rdev && term != nullptr &&
         *term != '\0' && std::string_view(term) != "dumb" && (plain == nullptr || *plain == '\0');
}

StatusLine::~StatusLine() {
  if (in_use_) take_away();
}

void StatusLine::follow(const std::string& text) {
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // a character, in UTF-8
    column_ = c == '\n' ? 0 : column_ + (begins ? 1 : 0);
  }
}

void StatusLine::show(const std::string& text) {
  const std::uint32_t changes = host::TerminalInUse::changes();
  winsize window{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0) return;
  const Size size{window.ws_row, window.ws_col};
  if (column_ > 0 && size.columns > 0 && column_ % size.columns == 0) return;
  if (size != size_ || changes != changes_) {
    if (in_use_) take_away();
    size_ = size;
    changes_ = changes;
    if (size.rows >= kLeastRows && size.columns >= kLeastColumns) set_up();
  }
  if (!in_use_) return;
  write_terminal(fmt::format("{}\x1b[{};1H\x1b[2K\x1b[7m{}\x1b[0m{}", kSave, size_.rows,
                             text.substr(0, size_.columns), kRestore));
}

void StatusLine::set_up() {
  in_use_.emplace(kTakeAway);
  write_terminal(fmt::format("{}{}\x1b[1;{}r{}", kRoomBelow, kSave, size_.rows - 1, kRestore));
}

void StatusLine::take_away() {
  write_terminal(kTakeAway);
  in_use_.reset();
}

}  // namespace tokencycle::cli
