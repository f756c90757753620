// SPDX-License-Identifier: Apache-2.0
// FST: has the compressed file the same signals, times and values as the VCD of the same run?
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "observe/event_generator.h"
#include "observe/trace_files.h"
#include "observe/trace_run.h"
#include "observe/waves/fst_file.h"
#include "observe/waves/trace.h"
#include "support/resource_limit.h"
#include "support/vcd_reader.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

using MakeTrace = std::unique_ptr<TraceWriter> (*)(const TraceOptions&);

TraceSummary trace(MakeTrace make, const std::filesystem::path& path, const GeneratedRun& run = {},
                   std::uint64_t max_bytes = 64u << 20, const std::string& window = "") {
  const config::Machine machine = generated_machine();
  TraceOptions options;
  options.path = path;
  options.max_bytes = max_bytes;
  if (!window.empty()) options.window = TraceWindow::parse(window);
  options.title = "a model on a machine";
  options.machine = &machine;
  const std::unique_ptr<TraceWriter> writer = make(options);
  writer->close(generate(run, generated_program(run.words), *writer, nullptr), "");
  return writer->summary();
}

bool has_program(const char* name) {
  return std::system(("command -v " + std::string(name) + " >/dev/null 2>&1").c_str()) == 0;
}

bool ready() {
  if (!can_write_fst()) WARN("skipped: built without the FST library");
  return can_write_fst();
}

// The file as GTKWave's own converter reads it, or nothing where that is not installed.
std::optional<VcdDump> converted(const std::filesystem::path& fst) {
  if (!has_program("fst2vcd")) {
    WARN("not read back: fst2vcd of the package gtkwave is not installed");
    return {};
  }
  const std::string command = "fst2vcd '" + fst.string() + "' > '" + fst.string() + ".vcd' 2>/dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
  return read_vcd(read_text(fst.string() + ".vcd"), {false});
}

std::uint64_t number(const std::string& digits) {
  return std::stoull(digits, nullptr, 2);
}

// States are numbers in the one and names in the other.
std::uint64_t number_of_state(const std::string& name) {
  for (int s = 0; s < kStates; ++s) {
    if (name_of(static_cast<State>(s)) == name) return static_cast<std::uint64_t>(s);
  }
  FAIL("no state " << name);
  return 0;
}

void check_equal(const VcdDump& fst, const VcdDump& vcd) {
  CHECK(fst.first == vcd.first);
  CHECK(fst.last == vcd.last);
  CHECK(fst.changes == vcd.changes);
  REQUIRE(fst.signals.size() == vcd.signals.size());
  for (const auto& [path, expected] : vcd.signals) {
    INFO(path);
    REQUIRE(fst.signals.count(path) == 1);
    const VcdSignal& s = fst.signals.at(path);
    REQUIRE(s.changes.size() == expected.changes.size());
    for (std::size_t i = 0; i < s.changes.size(); ++i) {
      REQUIRE(s.changes[i].time == expected.changes[i].time);
      if (s.text) {
        REQUIRE(s.changes[i].value == expected.changes[i].value);
      } else if (!expected.text) {
        REQUIRE(number(s.changes[i].value) == number(expected.changes[i].value));
      } else if (path.ends_with(".state")) {
        REQUIRE(number(s.changes[i].value) == number_of_state(expected.changes[i].value));
      }
    }
  }
}

}  // namespace

TEST_CASE("an FST has the changes of the VCD of the same run") {
  if (!ready()) return;
  for (const char* window : {"", "cycle:500..1500", "op:second"}) {
    INFO("window " << window);
    const TemporaryFolder folder;
    const TraceSummary fst = trace(make_fst_trace, folder / "a.fst", {}, 64u << 20, window);
    const TraceSummary vcd = trace(make_vcd_trace, folder / "a.vcd", {}, 64u << 20, window);
    CHECK(fst.format == "fst");
    CHECK(fst.entries == vcd.entries);
    CHECK(std::filesystem::file_size(folder / "a.fst") <= fst.bytes);
    CHECK(folder.files() == 2);
    if (const auto dump = converted(folder / "a.fst"))
      check_equal(*dump, read_vcd(read_text(folder / "a.vcd")));
  }
}

TEST_CASE("a VCD goes through GTKWave's converters and back without losing a change") {
  if (!has_program("vcd2fst")) {
    WARN("skipped: vcd2fst of the package gtkwave is not installed");
    return;
  }
  const TemporaryFolder folder;
  const TraceSummary summary = trace(make_vcd_trace, folder / "a.vcd");
  const std::string in = (folder / "a.vcd").string(), out = (folder / "b.fst").string();
  REQUIRE(std::system(("vcd2fst '" + in + "' '" + out + "' >/dev/null 2>&1").c_str()) == 0);
  const auto back = converted(out);
  REQUIRE(back);
  CHECK(back->changes == summary.entries);
  CHECK(back->signals.at("decode.state").changes ==
        read_vcd(read_text(in)).signals.at("decode.state").changes);
}

TEST_CASE("several blocks are one file") {
  if (!ready()) return;
  const TemporaryFolder folder;
  const GeneratedRun run{45'000, 300, 4, true};
  const TraceSummary fst = trace(make_fst_trace, folder / "a.fst", run);
  CHECK(fst.bytes > (8u << 20));  // blocks have 4 MiB
  trace(make_vcd_trace, folder / "a.vcd", run);
  if (const auto dump = converted(folder / "a.fst"))
    check_equal(*dump, read_vcd(read_text(folder / "a.vcd")));
}

TEST_CASE("at the cap an FST ends validly and stays below it") {
  if (!ready()) return;
  const TemporaryFolder folder;
  for (const std::uint64_t cap : {8000u, 20'000u}) {
    const TraceSummary fst = trace(make_fst_trace, folder / "a.fst", {}, cap);
    REQUIRE(fst.truncated_at != kNever);
    CHECK(fst.bytes <= cap);
    CHECK(std::filesystem::file_size(folder / "a.fst") <= cap);
    if (const auto dump = converted(folder / "a.fst")) {
      CHECK(dump->last == fst.truncated_at.value);
      CHECK(dump->changes == fst.entries);
      CHECK(dump->signals.at("trace.mark").changes.back().value ==
            "truncated\\040at\\040cycle\\040" + std::to_string(fst.truncated_at.value));
    }
  }
  CHECK_THROWS_AS(trace(make_fst_trace, folder / "b.fst", {}, 500), UsageError);
  CHECK(!std::filesystem::exists(folder / "b.fst"));
}

TEST_CASE("equal runs give equal FST files") {
  if (!ready()) return;
  const TemporaryFolder folder;
  trace(make_fst_trace, folder / "a.fst");
  trace(make_fst_trace, folder / "b.fst");
  CHECK(read_text(folder / "a.fst") == read_text(folder / "b.fst"));
}

TEST_CASE("a wave file that cannot be written is an error and leaves nothing") {
  const TemporaryFolder folder;
  for (const MakeTrace make : {make_vcd_trace, make_fst_trace}) {
    if (make == make_fst_trace && !ready()) continue;
    CHECK_THROWS_WITH(trace(make, "/nonexistent/folder/a.wave"),
                      Catch::Contains("/nonexistent/folder/a.wave"));
    // A limit of the file's size stands for a full disk.
    for (const rlim_t limit : {4096u, 20'000u}) {
      std::string message;
      try {
        const ResourceLimit low(RLIMIT_FSIZE, limit);
        trace(make, folder / "a.wave", {30'000, 300, 4, true});
      } catch (const IoError& error) {
        message = error.what();
      }
      INFO("limit " << limit << ": " << message);
      CHECK(message.find("a.wave") != std::string::npos);
      CHECK(folder.files() == 0);
    }
  }
}

TEST_CASE("without the library FST is refused by name, with the remedy") {
  if (can_write_fst()) return;
  const TemporaryFolder folder;
  CHECK_THROWS_AS(trace(make_fst_trace, folder / "a.fst"), UsageError);
  CHECK_THROWS_WITH(trace(make_fst_trace, folder / "a.fst"), Catch::Contains("verilator"));
}
