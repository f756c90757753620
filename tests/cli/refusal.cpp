// SPDX-License-Identifier: Apache-2.0
#include "refusal.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace tokencycle::test {

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

}  // namespace

std::string check_refusal(int exit_code, const std::vector<std::string>& arguments,
                          const std::vector<std::string>& parts, const char* program) {
  const Outcome o = Launched(arguments, {}, -1, program).wait();
  CAPTURE(arguments, o.err);
  CHECK(o.exit_code == exit_code);
  CHECK(o.out.empty());
  CHECK_THAT(o.err, Catch::StartsWith("tokencycle: ") && Catch::EndsWith("\n"));
  CHECK(count_of("\n" + o.err, "\ntokencycle: ") == 1);  // one message
  CHECK(count_of(o.err, "\n\n") == 0);                   // one paragraph
  CHECK(count_of(o.err, "internal error") == 0);
  CHECK(o.err.size() < 8000);
  for (const std::string& part : parts) CHECK_THAT(o.err, Catch::Contains(part));
  return o.err;
}

std::vector<std::pair<std::string, std::string>> files_below(const std::string& folder) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    files.emplace_back(entry.path().string(), entry.is_regular_file() ? contents_of(entry.path()) : "");
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace tokencycle::test
