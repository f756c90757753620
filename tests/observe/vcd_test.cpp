// SPDX-License-Identifier: Apache-2.0
// Waves: is the VCD valid, and do its signals have the values that the events say?
#include <catch2/catch.hpp>

#include "base/error.h"
#include "observe/event_generator.h"
#include "observe/trace_files.h"
#include "observe/trace_run.h"
#include "observe/waves/trace.h"
#include "support/vcd_reader.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

struct Traced {
  VcdDump dump;
  std::string text;
  GeneratedTruth truth;
  TraceSummary summary;
};

Traced trace(const std::string& window = "", std::uint64_t max_bytes = 64u << 20, const std::string& cut = "",
             const GeneratedRun& run = {}) {
  const TemporaryFolder folder;
  const config::Machine machine = generated_machine();
  TraceOptions options;
  options.path = folder / "a.vcd";
  if (!window.empty()) options.window = TraceWindow::parse(window);
  options.max_bytes = max_bytes;
  options.title = "a model on $machine";
  options.machine = &machine;
  const isa::Program program = generated_program(run.words);
  Traced traced;
  const std::unique_ptr<TraceWriter> writer = make_vcd_trace(options);
  const Cycle end = generate(run, program, *writer, &traced.truth);
  writer->close(end, cut);
  traced.summary = writer->summary();
  traced.text = read_text(options.path);
  traced.dump = read_vcd(traced.text);
  CHECK(traced.summary.bytes == traced.text.size());
  CHECK(traced.summary.entries == traced.dump.changes);
  CHECK(folder.files() == 1);
  return traced;
}

std::string binary(std::uint64_t value) {
  std::string digits;
  for (; value > 0; value /= 2) digits.insert(digits.begin(), static_cast<char>('0' + value % 2));
  return digits.empty() ? "0" : digits;
}

const VcdSignal& signal(const Traced& t, const std::string& path) {
  const auto found = t.dump.signals.find(path);
  if (found == t.dump.signals.end()) FAIL("no signal " << path);
  return found->second;
}

// The changes that a sequence of values at times asks for: the last of each time, where it differs.
class Changes {
 public:
  explicit Changes(const std::string& first) { list_.push_back({1, first}); }
  void set(std::uint64_t time, const std::string& value) {
    if (list_.back().time == time) {
      list_.back().value = value;
    } else {
      list_.push_back({time, value});
    }
  }
  std::vector<VcdChange> list() const {
    std::vector<VcdChange> kept;
    for (const VcdChange& c : list_) {
      if (kept.empty() || kept.back().value != c.value) kept.push_back(c);
    }
    return kept;
  }

 private:
  std::vector<VcdChange> list_;
};

}  // namespace

TEST_CASE("states, program counter and operator are the events' in every cycle") {
  const Traced t = trace();
  CHECK(t.dump.timescale == "1 ns");
  CHECK(t.dump.first == 1);
  CHECK(t.dump.last == t.truth.end.value);
  REQUIRE(t.dump.comments.size() == 3);
  CHECK(t.dump.comments[0] == "a model on machine");
  std::map<std::string, Changes> expected;
  for (const UnitId unit : {UnitId::fetch, UnitId::decode, UnitId::dispatch, UnitId::load, UnitId::store,
                            UnitId::matrix, UnitId::vector, UnitId::writeback}) {
    expected.emplace(name_of(unit) + ".state", Changes("halted"));
  }
  Changes pc("0"), name("none");
  for (const Event& e : t.truth.events) {
    if (e.kind == EventKind::unit_state) {
      expected.at(name_of(e.unit) + ".state")
          .set(e.cycle.value, std::string(name_of(static_cast<State>(e.detail))));
    } else if (e.kind == EventKind::instruction && static_cast<Stage>(e.detail) == Stage::decoded) {
      pc.set(e.cycle.value, binary(e.pc));
      name.set(e.cycle.value, e.pc < 150 ? "first" : "second");
    }
  }
  expected.emplace("decode.pc", pc);
  expected.emplace("decode.operator", name);
  for (const auto& [path, changes] : expected) {
    INFO(path);
    CHECK(signal(t, path).changes == changes.list());
  }
  CHECK(signal(t, "dram.channel1.state").changes == std::vector<VcdChange>{{1, "idle"}});
  CHECK(signal(t, "step.phase").changes == std::vector<VcdChange>{{1, "program"}});
  CHECK(signal(t, "trace.mark").changes ==
        std::vector<VcdChange>{{1, "recording"}, {t.truth.end.value, "end"}});
}

TEST_CASE("queues, instructions that execute, and bursts in flight are counted") {
  const Traced t = trace();
  for (std::uint64_t cycle = 1; cycle < t.truth.end.value; cycle += 7) {
    std::array<std::uint64_t, isa::kUnits> queued{}, running{};
    std::uint64_t waiting = 0, in_flight = 0;
    for (const InstructionRecord& r : t.truth.records) {
      if (r.unit == isa::Unit::front_end) continue;
      const auto unit = static_cast<std::size_t>(r.unit);
      queued[unit] += r.dispatched.value <= cycle && cycle < r.started.value;
      running[unit] += r.started.value <= cycle && cycle < r.finished.value;
      waiting += r.finished.value <= cycle && cycle < r.written_back.value;
      in_flight += r.dispatched.value <= cycle && cycle < r.written_back.value;
    }
    INFO("cycle " << cycle);
    for (const isa::Unit unit : {isa::Unit::load, isa::Unit::store, isa::Unit::matrix, isa::Unit::vector}) {
      const std::string scope = name_of(unit_id(unit));
      CHECK(signal(t, scope + ".queued").at(cycle) == binary(queued[static_cast<std::size_t>(unit)]));
      CHECK(signal(t, scope + ".running").at(cycle) == binary(running[static_cast<std::size_t>(unit)]));
    }
    CHECK(signal(t, "writeback.waiting").at(cycle) == binary(waiting));
    CHECK(signal(t, "decode.in_flight").at(cycle) == binary(in_flight));
    std::array<std::uint64_t, 2> bursts{}, moved{};
    for (const Event& e : t.truth.events) {
      if (e.cycle.value > cycle) break;
      const std::size_t channel = static_cast<std::size_t>(e.unit) - kFirstChannel;
      if (e.kind == EventKind::burst_issued) ++bursts[channel];
      if (e.kind == EventKind::burst_done) --bursts[channel], moved[channel] += 64;
    }
    CHECK(signal(t, "dma0.read.bursts").at(cycle) == binary(bursts[0] + bursts[1]));
    CHECK(signal(t, "fetch.bursts").at(cycle) == "0");
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string scope = "dram.channel" + std::to_string(i);
      CHECK(signal(t, scope + ".bursts").at(cycle) == binary(bursts[i]));
      CHECK(signal(t, scope + ".moved_bytes").at(cycle) == binary(moved[i]));
    }
  }
}

TEST_CASE("a window begins with all values and ends with nothing more") {
  const Traced all = trace();
  const std::uint64_t begin = all.truth.records[100].decoded.value + 1,
                      end = all.truth.records[180].decoded.value + 1;
  const Traced part = trace("cycle:" + std::to_string(begin) + ".." + std::to_string(end));
  CHECK(part.dump.first == begin);
  CHECK(part.dump.last == end);
  for (const auto& [path, s] : part.dump.signals) {
    INFO(path);
    if (path == "trace.mark") continue;
    const VcdSignal& whole = signal(all, path);
    for (std::uint64_t cycle = begin; cycle < end; ++cycle) REQUIRE(s.at(cycle) == whole.at(cycle));
    CHECK(s.changes.back().time < end);
  }
  CHECK(signal(part, "trace.mark").changes ==
        std::vector<VcdChange>{{begin, "recording"}, {end, "outside\\040the\\040window"}});

  const Traced none = trace("token:5");
  CHECK(none.dump.changes == none.dump.signals.size());
  CHECK(signal(none, "trace.mark").at(none.dump.last) == "the\\040window\\040was\\040not\\040reached");
  CHECK(none.dump.last == none.truth.end.value);
}

TEST_CASE("a window of operators may have gaps, which the mark shows") {
  const GeneratedRun loops{400, 40, 2, true};
  const Traced all = trace("", 64u << 20, "", loops), part = trace("op:second", 64u << 20, "", loops);
  const std::vector<VcdChange>& marks = signal(part, "trace.mark").changes;
  CHECK(marks.size() > 4);
  std::size_t inside = 0;
  for (std::uint64_t cycle = 1; cycle < all.truth.end.value; ++cycle) {
    bool wanted = false;
    for (const InstructionRecord& r : all.truth.records) {
      wanted |= r.pc >= 20 && r.decoded.value <= cycle && cycle < r.written_back.value;
    }
    if (!wanted) continue;
    ++inside;
    INFO("cycle " << cycle);
    REQUIRE(signal(part, "trace.mark").at(cycle) == "recording");
    for (const auto& [path, s] : part.dump.signals) {
      if (path != "trace.mark") REQUIRE(s.at(cycle) == signal(all, path).at(cycle));
    }
  }
  CHECK(inside > 100);
}

TEST_CASE("at the cap a dump ends validly, is marked, and stays below it") {
  const Traced whole = trace();
  std::uint64_t last = 0;
  for (const std::uint64_t cap : {4000u, 8000u, 16'001u}) {
    const Traced t = trace("", cap);
    CHECK(t.text.size() <= cap);
    REQUIRE(t.summary.truncated_at != kNever);
    const std::uint64_t at = t.summary.truncated_at.value;
    CHECK(at > last);
    CHECK(t.dump.last == at);
    CHECK(signal(t, "trace.mark").at(at) == "truncated\\040at\\040cycle\\040" + std::to_string(at));
    for (const auto& [path, s] : t.dump.signals) {
      if (path != "trace.mark") CHECK(s.at(at - 1) == signal(whole, path).at(at - 1));
    }
    last = at;
  }
  CHECK_THROWS_AS(trace("", 500), UsageError);
}

TEST_CASE("a dump of a run that ended early says so") {
  const Traced t = trace("", 64u << 20, "interrupted at token 7");
  CHECK(signal(t, "trace.mark").at(t.dump.last) == "interrupted\\040at\\040token\\0407");

  const TemporaryFolder folder;
  const config::Machine machine = generated_machine();
  TraceOptions options;
  options.path = folder / "a.vcd";
  options.machine = &machine;
  struct Stop {};
  std::size_t events = 0;
  try {
    const std::unique_ptr<TraceWriter> writer = make_vcd_trace(options);
    generate({}, generated_program(300), *writer, nullptr, [&] {
      if (++events == 700) throw Stop();
    });
  } catch (const Stop&) {
  }
  const VcdDump dump = read_vcd(read_text(options.path));
  CHECK(dump.signals.at("trace.mark").at(dump.last) == "interrupted");
  CHECK(folder.files() == 1);
}

TEST_CASE("equal runs give equal dumps") {
  CHECK(trace().text == trace().text);
}
