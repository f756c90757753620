// SPDX-License-Identifier: Apache-2.0
// Texts to standard output, and "-" and "@FILE" where an option takes a text or a file.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace tokencycle::cli {

// The reader of standard output has gone: main() ends without a message, as `| head` expects.
class OutputClosed : public IoError {
 public:
  using IoError::IoError;
};

// At once. Throws OutputClosed, or IoError with the reason and `remedy`.
void print_now(std::string_view text, std::string_view remedy = "");

// To a file, whole or not there, or to standard output for "-".
void write_output(const std::string& file, const std::string& text);

// "-": all of standard input; else the file. Throws IoError.
std::string read_input(const std::string& file);

// What an option says: "@FILE" is the file's text and "-" that of standard input, without the last line's
// end;
// "@@..." is a text that begins with one @.
std::string text_or_file(const std::string& value);

}  // namespace tokencycle::cli
