// SPDX-License-Identifier: Apache-2.0
// The format of a trace follows from its file's name; what cannot be made is refused by name.
#include <catch2/catch.hpp>

#include "base/error.h"
#include "observe/trace_run.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

// The message with which the options are refused.
std::string refusal(const TraceOptions& options) {
  try {
    make_trace_writer(options);
  } catch (const UsageError& error) {
    return error.what();
  }
  FAIL("they were taken");
  return "";
}

}  // namespace

TEST_CASE("the extension names a trace's format") {
  const TemporaryFolder folder;
  const config::Machine machine = trace_machine();
  const isa::Program program = synthetic_program(8);
  const std::pair<const char*, std::string_view> names[] = {
      {"a.pftrace", "perfetto"},  {"a.pftrace.gz", "perfetto"}, {"a.kanata", "kanata"},
      {"a.kanata.gz", "kanata"},  {"a.log", "kanata"},          {"a.vcd", "vcd"},
      {"a.csv", "csv"},           {"a.b.csv.gz", "csv"},        {"a.tokens.csv", "csv"},
      {"a.operators.csv", "csv"}, {"b.tokens.csv.gz", "csv"}};
  for (const auto& [name, format] : names) {
    CAPTURE(name);
    TraceOptions options;
    options.path = folder / name;
    options.machine = &machine;
    const auto writer = make_trace_writer(options);
    writer->begin_step({&program, Cycle(1), 0, 1, "program"});
    writer->end_step(Cycle(20));
    writer->close(Cycle(20), "");
    const TraceSummary summary = writer->summary();
    CHECK(summary.format == format);
    CHECK(summary.path == options.path);
    CHECK(summary.bytes > 0);
    CHECK(std::filesystem::exists(options.path));
  }
  CHECK(folder.files() == std::size(names));
}

TEST_CASE("traces without a known extension, level, cap or interval are refused with what is allowed") {
  const TemporaryFolder folder;
  const config::Machine machine = trace_machine();
  TraceOptions options;
  options.machine = &machine;
  for (const char* name : {"a.json", "a", ".pftrace", "a.vcd.gz", "a.gz", "a.pftrace.zst"}) {
    options.path = folder / name;
    const std::string message = refusal(options);
    CHECK(message.find("--trace " + options.path.string()) == 0);
    for (const char* known : {".pftrace", ".kanata", ".vcd", ".fst", ".tokens.csv", ".operators.csv"}) {
      CHECK(message.find(known) != std::string::npos);
    }
  }
  options.path = folder / "a.pftrace";
  options.max_bytes = 65535;
  CHECK(refusal(options).find("--trace-max-bytes 65535: it must be at least 65536") == 0);
  options.max_bytes = 65536;
  for (const int level : {0, 3, -1}) {
    options.level = level;
    CHECK(refusal(options).find("--trace-level " + std::to_string(level) + ": it must be 1 ") == 0);
  }
  options.level = 1;
  options.counter_interval = 0;
  CHECK(refusal(options).find("counters") != std::string::npos);
  CHECK(folder.files() == 0);
}
