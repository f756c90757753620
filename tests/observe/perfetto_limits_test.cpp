// SPDX-License-Identifier: Apache-2.0
// Perfetto traces: windows, the cap, runs that end early, memory.
#include <malloc.h>

#include <catch2/catch.hpp>
#include <map>

#include "base/error.h"
#include "observe/perfetto_decoder.h"
#include "observe/trace_run.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

const config::Machine kMachine = trace_machine();

TraceOptions options_for(const std::filesystem::path& path, const std::string& window = "") {
  TraceOptions options;
  options.path = path;
  options.title = "run";
  options.machine = &kMachine;
  if (!window.empty()) options.window = TraceWindow::parse(window);
  return options;
}

PerfettoContents trace(const std::string& window, TraceRun& run) {
  const TemporaryFolder folder;
  const TraceOptions options = options_for(folder / "t.pftrace", window);
  const auto writer = make_perfetto_trace(options);
  run.add(*writer);
  run.tokens(4);
  run.close();
  return read_perfetto(options.path);
}

}  // namespace

TEST_CASE("a window of tokens keeps their steps alone") {
  TraceRun run;
  const PerfettoContents contents = trace("token:2..3", run);
  const auto tokens = contents.on("token");
  REQUIRE(tokens.size() == 2);
  CHECK(tokens[0].name == "token 2");
  const std::uint64_t begin = run.steps[3].step.start.value, end = run.steps[4].end.value;
  CHECK(tokens[0].begin == begin);
  CHECK(tokens[1].end == end);
  std::uint64_t instructions = 0;
  for (const PerfettoSlice& s : contents.slices) {
    CHECK(s.begin >= begin);
    CHECK(s.end <= end);
    instructions += s.annotations.count("sequence");
  }
  CHECK(instructions == 200);
  for (const auto& [track, values] : contents.values) {
    CHECK(values.front().at + 1024 > begin);
    CHECK(values.back().at <= end + 1024);
    CHECK(values.back().value == 0);
  }
}

TEST_CASE(
    "a window of cycles cuts states, keeps instructions whole and the timeline of the steps it touches") {
  TraceRun all;
  const PerfettoContents full = trace("", all);
  const std::uint64_t begin = all.steps[2].step.start.value + 100, end = begin + 150;
  TraceRun run;
  const PerfettoContents contents = trace("cycle:" + std::to_string(begin) + ".." + std::to_string(end), run);
  REQUIRE(contents.on("token").size() == 1);
  CHECK(contents.on("token")[0].name == "token 1");
  CHECK(contents.on("operator").size() == 4);
  std::size_t states = 0, instructions = 0, expected_instructions = 0;
  std::uint64_t cycles = 0, expected_cycles = 0;
  for (const PerfettoSlice& s : contents.slices) {
    const bool is_instruction = s.annotations.count("sequence") == 1;
    instructions += is_instruction;
    if (is_instruction || s.track <= contents.track("vector0.busy")) continue;
    CHECK(s.begin >= begin);
    CHECK(s.end <= end);
    cycles += s.duration();
    ++states;
  }
  for (const PerfettoSlice& s : full.slices) {
    const std::uint64_t from = std::max(s.begin, begin), to = std::min(s.end, end);
    if (from >= to) continue;
    if (s.annotations.count("sequence") == 1) {
      ++expected_instructions;
    } else if (s.track > full.track("vector0.busy")) {
      expected_cycles += to - from;
    }
  }
  CHECK(states > 10);
  CHECK(cycles == expected_cycles);
  CHECK(instructions == expected_instructions);
}

TEST_CASE("a window of operators keeps their instructions, and states while one of these is in flight") {
  TraceRun run;
  const PerfettoContents contents = trace("op:blk.*.attn", run);
  CHECK(contents.on("token").size() == 5);
  std::uint64_t instructions = 0;
  for (const PerfettoSlice& s : contents.slices) {
    if (s.annotations.count("sequence") == 0) continue;
    ++instructions;
    CHECK((s.annotations.at("operator") == "blk.0.attn" || s.annotations.at("operator") == "blk.1.attn"));
  }
  std::uint64_t expected = 0;
  for (const StepCounts& s : run.steps) expected += s.operators[1].instructions + s.operators[3].instructions;
  expected -= run.steps.size();  // the halts, the last words of blk.1.attn
  CHECK(instructions == expected);
  TraceRun other;
  const PerfettoContents full = trace("", other);
  CHECK(contents.on("vector0").size() < full.on("vector0").size());
  CHECK(!contents.on("vector0").empty());
  TraceRun none;
  CHECK(trace("op:absent", none).slices.empty());
}

TEST_CASE("at the cap the trace ends with what is going on, is marked, and stays within the cap") {
  const TemporaryFolder folder;
  std::uint64_t last_cycle = 0;
  for (std::uint64_t cap = 64 << 10; cap < 80 << 10; cap += 997) {
    TraceRun run;
    TraceOptions options = options_for(folder / "t.pftrace");
    options.max_bytes = cap;
    const auto writer = make_perfetto_trace(options);
    run.add(*writer);
    run.tokens(20, 300);
    run.close(cap % 2 == 0 ? "" : "interrupted at token 20");
    const TraceSummary summary = writer->summary();
    const PerfettoContents contents = read_perfetto(options.path);
    CHECK(contents.bytes == summary.bytes);
    CHECK(summary.bytes <= cap);
    CHECK(summary.bytes > cap / 2);
    REQUIRE(summary.truncated_at != kNever);
    CHECK(summary.truncated_at.value >= last_cycle);
    last_cycle = summary.truncated_at.value;
    REQUIRE(contents.instants.size() == (cap % 2 == 0 ? 1 : 2));
    CHECK(contents.instants[0].name.starts_with("truncated at cycle "));
    CHECK(contents.instants[0].begin == last_cycle);
    std::uint64_t ends = 0;
    for (const PerfettoSlice& s : contents.slices) ends = std::max(ends, s.end);
    CHECK(ends == last_cycle);
    CHECK(contents.on("token").back().end == last_cycle);
    CHECK(contents.on("operator").back().end == last_cycle);
    CHECK(summary.entries == contents.slices.size() + contents.instants.size());
  }
}

TEST_CASE("a writer that is dropped in the middle of a step leaves a complete file that says so") {
  const TemporaryFolder folder;
  for (const bool in_step : {true, false}) {
    TraceRun run;
    {
      const auto writer = make_perfetto_trace(options_for(folder / "t.pftrace"));
      run.add(*writer);
      run.tokens(1);
      if (in_step) {
        auto gone = std::make_unique<SyntheticRun>(run.synthetic);  // a failing run takes its program with it
        EventHub hub;
        hub.subscribe(*writer);
        writer->begin_step(gone->step_info(2));
        gone->step(hub, 100, gone->now() + 333);
        gone.reset();
      }
    }
    CHECK(folder.files() == 1);
    const PerfettoContents contents = read_perfetto(folder / "t.pftrace");
    REQUIRE(contents.instants.size() == 1);
    CHECK(contents.instants[0].name == "interrupted");
    const auto tokens = contents.on("token");
    CHECK(tokens.size() == (in_step ? 3 : 2));
    CHECK(tokens.back().end == contents.instants[0].begin);
    CHECK(contents.on("operator").back().end == tokens.back().end);
    if (in_step) CHECK(tokens.back().duration() > 300);
  }
}

TEST_CASE("wherever a run is cut, what has finished ends where it did, and the rest ends there") {
  struct Records : Observer {
    std::uint32_t interests() const override { return kinds({}); }
    void on_event(const Event&) override {}
    void on_retired(const InstructionRecord& r) override { by_sequence[r.sequence] = r; }
    std::map<std::uint64_t, InstructionRecord> by_sequence;
  } records;
  SyntheticRun whole(3);
  EventHub whole_hub;
  whole_hub.subscribe(records);
  whole.step(whole_hub, 100);
  const TemporaryFolder folder;
  for (std::uint64_t stop = 200; stop < 1000; stop += 3) {
    SyntheticRun run(3);
    EventHub hub;
    {
      const auto writer = make_perfetto_trace(options_for(folder / "t.pftrace"));
      hub.subscribe(*writer);
      writer->begin_step(run.step_info(0));
      run.step(hub, 100, Cycle(stop));
    }
    const PerfettoContents contents = read_perfetto(folder / "t.pftrace");
    REQUIRE(contents.instants.size() == 1);
    const std::uint64_t cut = contents.instants[0].begin;
    std::size_t instructions = 0, expected = 0;
    for (const PerfettoSlice& s : contents.slices) {
      if (s.annotations.count("sequence") == 0) continue;
      const InstructionRecord& r = records.by_sequence.at(std::stoull(s.annotations.at("sequence")));
      CHECK(s.begin == r.started.value);
      CHECK(s.end == std::min(r.finished.value, cut));
      ++instructions;
    }
    for (const auto& [sequence, r] : records.by_sequence) {
      expected += r.unit != isa::Unit::front_end && r.started.value < cut;
    }
    CHECK(instructions == expected);
  }
}

TEST_CASE("a trace that cannot be created is an error that names it, and nothing is left") {
  const TemporaryFolder folder;
  for (const auto& path : {folder / "missing/t.pftrace", folder / ""}) {
    try {
      make_perfetto_trace(options_for(path));
      FAIL("it was created");
    } catch (const IoError& error) {
      CHECK(std::string(error.what()).find(path.string()) == 0);
    }
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("memory does not grow with the run") {
#ifdef NDEBUG
  constexpr std::uint32_t kSteps = 500;
#else
  constexpr std::uint32_t kSteps = 20;
#endif
  constexpr std::uint32_t kInstructions = 2000;  // a step
  const TemporaryFolder folder;
  TraceOptions options = options_for(folder / "t.pftrace");
  options.max_bytes = 1ull << 40;
  const auto writer = make_perfetto_trace(options);
  SyntheticRun synthetic(1);
  EventHub hub;
  hub.subscribe(*writer);
  std::size_t early = 0;
  for (std::uint32_t t = 0; t < kSteps; ++t) {
    writer->begin_step(synthetic.step_info(t));
    writer->end_step(synthetic.step(hub, kInstructions));
    if (t == 9) early = mallinfo2().uordblks;
  }
  // The synthetic run's own vectors have their size by then. (The sanitizers' allocator reports nothing.)
  CHECK(mallinfo2().uordblks <= early + 65536);
  writer->close(synthetic.now(), "");
  CHECK(writer->summary().entries > kSteps * kInstructions * 2);
}
