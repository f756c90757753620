// SPDX-License-Identifier: Apache-2.0
// Results of runs, read back.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "explore/result/document.h"
#include "fuzz/json_changes.h"
#include "fuzz/support.h"

namespace tokencycle::fuzz {
namespace {

bool feed(Input input) {
  const MemoryFile file(input);
  try {
    const explore::Result result = explore::read_result(file.path());
    std::uint64_t cycles = 0;
    for (const std::uint64_t cause : result.stack) cycles += cause;
    require(cycles == result.cycles, "a stack that does not sum to the cycles");
    require(result.clock_ghz > 0, "a machine without a clock");
    return true;
  } catch (const IoError& error) {
    check_refusal(error, file.path(), {ExitCode::io});
    return false;
  }
}

Bytes mutate(Input input, Random& random) {
  return bytes_of(change_json(std::string(text_of(input)), random));
}

// A real one, of two tokens, with most of its counters and rows left out.
std::vector<Seed> seeds() {
  std::ifstream in(std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "tests" / "fuzz" / "result.json");
  std::ostringstream text;
  text << in.rdbuf();
  return {{"small", bytes_of(text.str())}};
}

}  // namespace

Target result_target() {
  return {"result", feed, mutate, seeds};
}

}  // namespace tokencycle::fuzz
