// SPDX-License-Identifier: Apache-2.0
// One line at the bottom of a terminal, below text that scrolls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/interrupt.h"

namespace tokencycle::cli {

// The last row is kept out of the region that scrolls (DECSTBM), so text flows above it. It follows the
// window's size; in a window below kLeastRows or kLeastColumns there is no line. Everything is written to
// standard error, which must be the same terminal as standard output; both are in order again when the object
// is gone, or the process ends by a signal.
class StatusLine {
 public:
  static constexpr unsigned kLeastRows = 3, kLeastColumns = 20;
  // Whether standard output and standard error are one terminal that can do it: not TERM=dumb, and without
  // NO_COLOR, which asks for plain text.
  static bool possible();

  // `text` may use the width that is left when it is cut; it has one column a character (ASCII).
  void show(const std::string& text);
  // Text went to standard output. A cursor behind the last column has not wrapped yet, and some terminals
  // forget that when it is moved: then the line waits for more text.
  void follow(const std::string& text);
  ~StatusLine();

 private:
  struct Size {
    unsigned rows = 0, columns = 0;
    bool operator==(const Size&) const = default;
  };
  void set_up();
  void take_away();

  std::optional<host::TerminalInUse> in_use_;  // while there is a line
  Size size_;
  std::uint32_t changes_ = 0;
  std::size_t column_ = 0;  // of the text, as if lines were never broken
};

}  // namespace tokencycle::cli
