// SPDX-License-Identifier: Apache-2.0
// Kanata: is the file what the viewer expects, and does it say what the instructions did?
#include <catch2/catch.hpp>
#include <set>

#include "base/error.h"
#include "observe/event_generator.h"
#include "observe/kanata/trace.h"
#include "observe/trace_files.h"
#include "observe/trace_run.h"
#include "support/kanata_linter.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

struct Traced {
  std::vector<KanataOp> ops;
  std::string text;
  GeneratedTruth truth;
  TraceSummary summary;
  std::size_t most_kept = 0;
};

struct TraceCase {
  GeneratedRun run;
  std::string window;
  std::uint64_t max_bytes = 64u << 20;
  std::string cut;
  std::string name = "a.kanata";
};

Traced trace(const TraceCase& what) {
  const TemporaryFolder folder;
  const config::Machine machine = generated_machine();
  TraceOptions options;
  options.path = folder / what.name;
  if (!what.window.empty()) options.window = TraceWindow::parse(what.window);
  options.max_bytes = what.max_bytes;
  options.machine = &machine;
  const isa::Program program = generated_program(what.run.words);
  Traced traced;
  KanataTrace writer(options);
  const Cycle end = generate(what.run, program, writer, &traced.truth,
                             [&] { traced.most_kept = std::max(traced.most_kept, writer.kept()); });
  writer.close(end, what.cut);
  traced.summary = writer.summary();
  traced.text = read_unpacked(options.path);
  traced.ops = lint_kanata(traced.text);
  CHECK(folder.files() == 1);
  return traced;
}

// The stages of lane 0 that a record asks for, from `first` on.
std::vector<KanataStage> stages_of(const InstructionRecord& r, std::uint64_t first) {
  std::vector<KanataStage> stages;
  const auto add = [&](const char* name, std::uint64_t begin, std::uint64_t end) {
    if (begin < end) stages.push_back({0, name, begin, end});
  };
  add("F", first, r.decoded.value);
  if (r.unit == isa::Unit::front_end) {
    add("D", r.decoded.value, r.written_back.value + 1);
    return stages;
  }
  static constexpr std::array kNames = {"", "Xl", "Xs", "Xm", "Xv"};
  add("D", r.decoded.value, r.dispatched.value);
  add("Q", r.dispatched.value, r.started.value);
  add(kNames[static_cast<std::size_t>(r.unit)], r.started.value, r.finished.value);
  add("W", r.finished.value, r.written_back.value);
  return stages;
}

void check_stages(const KanataOp& op, const InstructionRecord& r) {
  const std::vector<KanataStage> shown = op.lane(0);
  const std::vector<KanataStage> expected = stages_of(r, op.begin);
  REQUIRE(shown.size() == expected.size());
  for (std::size_t i = 0; i < shown.size(); ++i) {
    CHECK(shown[i].name == expected[i].name);
    CHECK(shown[i].begin == expected[i].begin);
    CHECK(shown[i].end == expected[i].end);
  }
}

}  // namespace

TEST_CASE("every stage of every instruction is the one of its record") {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    const Traced t = trace({{400, 400, seed}, "", 64u << 20, "", "a.kanata"});
    REQUIRE(t.ops.size() == 400);
    CHECK(t.summary.entries == 400);
    CHECK(t.summary.format == "kanata");
    CHECK(t.summary.bytes == t.text.size());
    CHECK(t.summary.truncated_at == kNever);
    std::set<std::uint64_t> retirements;
    for (std::size_t i = 0; i < t.ops.size(); ++i) {
      const KanataOp& op = t.ops[i];
      const InstructionRecord& r = t.truth.records[i];
      INFO("seed " << seed << ", instruction " << i);
      CHECK(op.sequence == i);
      CHECK(op.begin == r.fetched.value);  // a program without loops is fetched once, in order
      check_stages(op, r);
      CHECK(op.retired);
      CHECK(op.end == r.written_back.value + (r.unit == isa::Unit::front_end ? 1 : 0));
      CHECK(op.label == std::to_string(r.pc) + ": nop");
      CHECK(op.tooltip.find("\\nfetched " + std::to_string(r.fetched.value) + "\\n") != std::string::npos);
      CHECK(op.tooltip.find(i < 200 ? " for first," : " for second,") != std::string::npos);
      retirements.insert(op.retirement);
    }
    CHECK(retirements.size() == 400);
  }
}

TEST_CASE("the second lane has the reasons for which decode and the units wait") {
  const Traced t = trace({});
  // By the events: decode's states, and those of matrix and vector while an instruction executes.
  std::vector<std::vector<KanataStage>> expected(t.ops.size());
  std::uint64_t held = 0;
  std::array<std::vector<std::uint64_t>, kFirstChannel> executing;
  for (const Event& e : t.truth.events) {
    const auto stage = static_cast<Stage>(e.detail);
    if (e.kind == EventKind::instruction) {
      auto& unit = executing[static_cast<std::size_t>(e.unit)];
      if (stage == Stage::decoded) held = e.number;
      if (stage == Stage::started) unit.push_back(e.number);
      if (stage == Stage::finished) std::erase(unit, e.number);
      continue;
    }
    if (e.kind != EventKind::unit_state) continue;
    const auto state = static_cast<State>(e.detail);
    if (e.unit == UnitId::decode && e.cycle.value > 1) {
      auto& stalls = expected[held];
      if (!stalls.empty() && stalls.back().end == 0) stalls.back().end = e.cycle.value;
      if (state != State::busy) stalls.push_back({1, std::string(name_of(state)), e.cycle.value, 0});
    } else if (state == State::scratchpad_conflict &&
               (e.unit == UnitId::matrix || e.unit == UnitId::vector)) {
      const std::uint64_t op = executing[static_cast<std::size_t>(e.unit)].at(0);
      expected[op].push_back({1, "scratchpad_conflict", e.cycle.value, t.truth.records[op].finished.value});
    }
  }
  std::size_t stalls = 0;
  for (std::size_t i = 0; i < t.ops.size(); ++i) {
    INFO("instruction " << i);
    const std::vector<KanataStage> shown = t.ops[i].lane(1);
    REQUIRE(shown.size() == expected[i].size());
    for (std::size_t s = 0; s < shown.size(); ++s) {
      CHECK(shown[s].name == expected[i][s].name);
      CHECK(shown[s].begin == expected[i][s].begin);
      CHECK(shown[s].end == expected[i][s].end);
    }
    stalls += shown.size();
  }
  CHECK(stalls > 100);
}

TEST_CASE("arrows lead from the instruction that was waited for to the one that waited") {
  const Traced t = trace({});
  std::vector<std::vector<std::uint64_t>> expected(t.ops.size());
  for (const Dependency& d : t.truth.dependencies) expected[d.consumer].push_back(d.producer);
  for (std::size_t i = 0; i < t.ops.size(); ++i) CHECK(t.ops[i].producers == expected[i]);
}

TEST_CASE("a word that is executed again is in the buffer, as far back as the file looks") {
  const Traced t = trace({{2000, 24, 3}, "", 64u << 20, "", "a.kanata"});
  const std::uint64_t look_back = generated_machine().fetch.buffer_words;
  REQUIRE(t.ops.size() == 2000);
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < t.ops.size(); ++i) {
    INFO("instruction " << i);
    const InstructionRecord& r = t.truth.records[i];
    std::uint64_t first = std::max(before, r.fetched.value);
    if (i >= look_back) first = std::max(first, t.truth.records[i - look_back].decoded.value);
    CHECK(t.ops[i].begin == first);
    check_stages(t.ops[i], r);
    before = first;
  }
}

TEST_CASE("memory is bounded by the instructions in flight and the buffer, not by the run") {
  std::size_t kept[2];
  for (int i = 0; i < 2; ++i) {
    const TemporaryFolder folder;
    const config::Machine machine = generated_machine();
    TraceOptions options;
    options.path = folder / "a.kanata.gz";
    options.max_bytes = 1u << 30;
    options.machine = &machine;
    KanataTrace writer(options);
    const std::uint64_t n = i == 0 ? 1000 : 20'000;
    std::size_t most = 0;
    const Cycle end = generate({n, 100, 5, false}, generated_program(100), writer, nullptr,
                               [&] { most = std::max(most, writer.kept()); });
    writer.close(end, "");
    CHECK(writer.summary().entries == n);
    kept[i] = most;
  }
  // 80 instructions (16 in flight, 64 in the buffer) with at most 16 lines each.
  CHECK(kept[0] < 2000);
  CHECK(kept[1] < 2000);
}

TEST_CASE("a window has the instructions that are decoded in it, whole") {
  const Traced all = trace({});
  const std::uint64_t begin = all.truth.records[100].decoded.value,
                      end = all.truth.records[180].decoded.value;
  const Traced part =
      trace({{}, "cycle:" + std::to_string(begin) + ".." + std::to_string(end), 64u << 20, "", "a.kanata"});
  REQUIRE(part.ops.size() == 80);
  for (std::size_t i = 0; i < part.ops.size(); ++i) {
    CHECK(part.ops[i].sequence == 100 + i);
    check_stages(part.ops[i], all.truth.records[100 + i]);
  }
  const Traced second = trace({{}, "op:sec*", 64u << 20, "", "a.kanata"});
  REQUIRE(second.ops.size() == 150);
  CHECK(second.ops[0].sequence == 150);
  CHECK(trace({{}, "token:1..2", 64u << 20, "", "a.kanata"}).ops.empty());
  CHECK(trace({{}, "token:0", 64u << 20, "", "a.kanata"}).ops.size() == 300);
}

TEST_CASE("at the cap the file ends validly, is marked, and stays below it") {
  const Traced whole = trace({});
  for (const std::uint64_t cap : {6000u, 10'000u, 20'001u, 50'000u}) {
    INFO("cap " << cap);
    const Traced t = trace({{}, "", cap, "", "a.kanata"});
    CHECK(t.text.size() <= cap);
    REQUIRE(t.summary.truncated_at != kNever);
    const std::string mark = "truncated at cycle " + std::to_string(t.summary.truncated_at.value);
    REQUIRE(t.ops.size() == t.summary.entries + 1);
    CHECK(t.ops.back().label == mark);
    CHECK(t.ops.back().flushed);
    std::size_t complete = 0;
    for (std::size_t i = 0; i + 1 < t.ops.size(); ++i) {
      CHECK(t.ops[i].end <= t.summary.truncated_at.value + 1);
      complete += t.ops[i].retired ? 1 : 0;
    }
    CHECK(complete > 0);
    // What is there is the beginning of the whole file.
    const std::size_t same = static_cast<std::size_t>(
        std::mismatch(t.text.begin(), t.text.end(), whole.text.begin(), whole.text.end()).first -
        t.text.begin());
    CHECK(same > cap / 4);
  }
  CHECK_THROWS_AS(trace({{}, "", 100, "", "a.kanata"}), UsageError);
}

TEST_CASE("a run that ends early leaves a file that says so") {
  const Traced t = trace({{}, "", 64u << 20, "interrupted at\ttoken 7", "a.kanata"});
  REQUIRE(t.ops.size() == 301);
  CHECK(t.ops.back().label == "interrupted at token 7");

  // Destroyed in the middle, with instructions in flight.
  const TemporaryFolder folder;
  const config::Machine machine = generated_machine();
  TraceOptions options;
  options.path = folder / "a.kanata";
  options.machine = &machine;
  const isa::Program program = generated_program(300);
  struct Stop {};
  std::size_t events = 0;
  try {
    KanataTrace writer(options);
    generate({}, program, writer, nullptr, [&] {
      if (++events == 700) throw Stop();
    });
  } catch (const Stop&) {
  }
  const std::vector<KanataOp> ops = lint_kanata(read_text(options.path));
  CHECK(ops.back().label == "interrupted");
  CHECK(std::count_if(ops.begin(), ops.end(), [](const KanataOp& op) { return op.flushed; }) > 1);
  CHECK(folder.files() == 1);
}

TEST_CASE("equal runs give equal files, gzipped or not") {
  const Traced a = trace({}), b = trace({}), c = trace({{}, "", 64u << 20, "", "a.kanata.gz"});
  CHECK(a.text == b.text);
  CHECK(a.text == c.text);
  CHECK(c.summary.bytes == c.text.size());
}

TEST_CASE("a folder that does not exist is named") {
  const config::Machine machine = generated_machine();
  TraceOptions options;
  options.path = "/nonexistent/folder/a.kanata";
  options.machine = &machine;
  CHECK_THROWS_WITH(KanataTrace(options), Catch::Contains("/nonexistent/folder/a.kanata"));
}

TEST_CASE("the linter refuses what the viewer would silently draw wrong") {
  const std::string head = "Kanata\t0004\nC=\t0\nC\t5\nI\t0\t0\t0\nS\t0\t0\tF\nC\t2\n";
  const std::string rest = "E\t0\t0\tF\nR\t0\t0\t0\n";
  CHECK(lint_kanata(head + rest).at(0).stages.at(0).end == 7);
  for (const char* wrong :
       {"C\t0\n", "C\t-1\n", "I\t2\t0\t0\n", "I\t0\t0\t0\n", "S\t0\t0\tD\n", "S\t0\t2\tD\n", "E\t0\t0\tD\n",
        "E\t0\t1\tF\n", "S\t1\t0\tF\n", "W\t0\t0\t0\n", "W\t0\t1\t0\n", "L\t0\t0\ta\tb\n", "L\t0\t3\ta\n",
        "R\t0\t0\t0\n", "X\t0\n", "\n", "I\t1\t1\t0\n"}) {
    INFO(wrong);
    CHECK_THROWS(lint_kanata(head + wrong + rest));
  }
  CHECK_THROWS(lint_kanata(head + rest + "L\t0\t0\tlate\n"));
  CHECK_THROWS(lint_kanata(head));
  CHECK_THROWS(lint_kanata("Kanata\t0003\n"));
  CHECK_THROWS(lint_kanata(head + "E\t0\t0\tF\nS\t0\t0\tD\nE\t0\t0\tD\nR\t0\t0\t0\n"));  // no cycles
}
