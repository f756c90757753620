// SPDX-License-Identifier: Apache-2.0
// What the targets share: bytes as files, and what a refusal must look like.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"
#include "fuzz/target.h"

namespace tokencycle::fuzz {

// A file in memory alone, for readers that want a path. Gone with the object.
class MemoryFile {
 public:
  explicit MemoryFile(Input contents);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  int descriptor_ = -1;
  std::string path_;
};

std::string_view text_of(Input input);
Bytes bytes_of(std::string_view text);

// Throws Finding unless the error is one of `allowed`, and its message begins with the name of the source, is
// not overlong and holds no control characters (line feeds only where `lists`: one line an error).
void check_refusal(const Error& error, std::string_view source, std::initializer_list<ExitCode> allowed,
                   bool lists = false);

// Throws Finding with `what` unless `holds`.
void require(bool holds, std::string_view what);

// Overwrites, inserts, repeats, moves or removes a few bytes.
Bytes mutate_bytes(Input input, Random& random);
// The same with words of the form's language in between.
Bytes mutate_text(Input input, Random& random, std::initializer_list<std::string_view> words);

}  // namespace tokencycle::fuzz
