// SPDX-License-Identifier: Apache-2.0
// Perfetto traces: does the file say what happened?
#include <catch2/catch.hpp>
#include <set>

#include "observe/perfetto/track.h"
#include "observe/perfetto_decoder.h"
#include "observe/trace_run.h"

using namespace tokencycle;
using namespace tokencycle::observe;
using namespace tokencycle::test;

namespace {

struct Traced {
  PerfettoContents contents;
  TraceSummary summary;
  std::uint32_t interests = 0;
};

// Three tokens and a prompt in two steps.
Traced trace(TraceRun& run, TraceOptions options, const std::string& name = "t.pftrace") {
  const TemporaryFolder folder;
  const config::Machine machine = trace_machine();
  options.path = folder / name;
  options.title = "model on machine";
  options.machine = &machine;
  const auto writer = make_perfetto_trace(options);
  run.add(*writer);
  run.tokens(3);
  run.close();
  CHECK(folder.files() == 1);
  return {read_perfetto(options.path), writer->summary(), writer->interests()};
}

std::uint64_t sum(const std::vector<PerfettoSlice>& slices) {
  std::uint64_t cycles = 0;
  for (const PerfettoSlice& s : slices) cycles += s.duration();
  return cycles;
}

// Of the slices that lie in the slice's time.
std::vector<PerfettoSlice> within(const PerfettoSlice& outer, const std::vector<PerfettoSlice>& slices) {
  std::vector<PerfettoSlice> list;
  for (const PerfettoSlice& s : slices) {
    if (s.begin >= outer.begin && s.end <= outer.end) list.push_back(s);
  }
  return list;
}

}  // namespace

TEST_CASE("tokens' and operators' slices are the steps and the operators' exclusive cycles") {
  TraceRun run;
  const auto [contents, summary, interests] = trace(run, {});
  const auto tokens = contents.on("token"), operators = contents.on("operator"),
             layers = contents.on("layer");
  REQUIRE(tokens.size() == 4);  // the prompt's steps are one
  CHECK(tokens[0].name == "prefill");
  CHECK(tokens[0].begin == run.steps[0].step.start.value);
  CHECK(tokens[0].end == run.steps[1].end.value);
  CHECK(tokens[0].annotations.at("tokens") == "2");
  CHECK(tokens[2].name == "token 2");
  CHECK(tokens[2].annotations.at("phase") == "decode");
  std::size_t at = 0;
  for (const StepCounts& s : run.steps) {
    for (std::size_t i = 0; i < s.operators.size(); ++i) {
      if (s.operators[i].cycles == 0) continue;
      REQUIRE(at < operators.size());
      CHECK(operators[at].name == run.synthetic.program().operators[i].name);
      CHECK(operators[at].duration() == s.operators[i].cycles);
      CHECK(operators[at].annotations.at("instructions") == std::to_string(s.operators[i].instructions));
      ++at;
    }
  }
  CHECK(at == operators.size());
  for (const PerfettoSlice& token : tokens) CHECK(sum(within(token, operators)) == token.duration());
  std::set<std::string> names;
  for (const PerfettoSlice& layer : layers) {
    names.insert(layer.name);
    CHECK(sum(within(layer, operators)) == layer.duration());
  }
  CHECK(names == std::set<std::string>{"layer 0", "layer 1"});
}

TEST_CASE("a unit's slices sum to its states' cycles and carry the units' names") {
  TraceRun run;
  const auto [contents, summary, interests] = trace(run, {});
  for (std::size_t u = 0; u < run.units.units().size(); ++u) {
    const auto unit = static_cast<UnitId>(u);
    std::map<std::string, std::uint64_t> cycles;
    const auto slices = contents.on(contents.track(name_of(unit)));
    for (const PerfettoSlice& s : slices) {
      cycles[s.name] += s.duration();
      CHECK(s.begin < s.end);
      CHECK((s.name == "read_after_write") == (s.annotations.count("waits_for") == 1));
    }
    for (int s = 0; s < kStates; ++s) {
      const auto state = static_cast<State>(s);
      const bool shown = state != State::idle && state != State::halted;
      const std::string name(name_of(state));
      CAPTURE(name_of(unit), name);
      CHECK(cycles[name] == (shown ? run.units.cycles(unit, state) : 0));
    }
  }
}

TEST_CASE("every instruction is one slice in a lane of its unit, from its start to its end") {
  struct Records : Observer {
    std::uint32_t interests() const override { return kinds({}); }
    void on_event(const Event&) override {}
    void on_retired(const InstructionRecord& r) override { by_sequence[r.sequence] = r; }
    std::map<std::uint64_t, InstructionRecord> by_sequence;
  } records;
  TraceRun run;
  run.hub.subscribe(records);
  const auto [contents, summary, interests] = trace(run, {});
  std::uint64_t found = 0;
  std::set<std::uint64_t> lanes;
  for (const UnitId unit : {UnitId::load, UnitId::matrix, UnitId::vector}) {
    for (const PerfettoSlice& s : contents.on(name_of(unit) + ".instructions")) {
      const InstructionRecord& r = records.by_sequence.at(std::stoull(s.annotations.at("sequence")));
      CHECK(unit_id(r.unit) == unit);
      CHECK(s.name == isa::name_of(r.op));
      CHECK(s.begin == r.started.value);
      CHECK(s.end == r.finished.value);
      CHECK(s.annotations.at("pc") == std::to_string(r.pc));
      CHECK(s.annotations.at("operator") == run.synthetic.program().operators[r.pc / 16].name);
      CHECK(contents.tracks.at(s.track).parent == contents.track(name_of(unit)));
      lanes.insert(s.track);
      ++found;
    }
  }
  CHECK(found == run.synthetic.instructions());
  CHECK(lanes.size() > 3);  // loads overlap; the decoder has checked that no slice of a track does
  CHECK(contents.on("matrix0.instructions").size() + contents.on("vector0.instructions").size() == found / 2);
}

TEST_CASE("an arrow leads from each load to the instruction that reads it") {
  TraceRun run;
  const auto [contents, summary, interests] = trace(run, {});
  std::map<std::uint64_t, const PerfettoSlice*> producers;
  const auto sequence = [](const PerfettoSlice& s) { return std::stoull(s.annotations.at("sequence")); };
  for (const PerfettoSlice& s : contents.slices) {
    CHECK(s.flows_out.size() == (s.name == "load" ? 1 : 0));
    for (const std::uint64_t f : s.flows_out) CHECK(producers.emplace(f, &s).second);
  }
  std::uint64_t ends = 0;
  for (const PerfettoSlice& s : contents.slices) {
    CHECK(s.flows_in.size() == (s.name == "multiply" || s.name == "copy" ? 1 : 0));
    for (const std::uint64_t f : s.flows_in) {
      REQUIRE(producers.count(f) == 1);
      CHECK(producers.at(f)->end < s.begin);
      CHECK(sequence(*producers.at(f)) + 2 == sequence(s));
      ++ends;
    }
  }
  CHECK(ends == run.synthetic.flows());
  CHECK(producers.size() == ends);
}

TEST_CASE("counters are averages over their interval, and the whole run is in them") {
  TraceRun run;
  struct Bytes : Observer {
    void on_event(const Event& e) override {
      if (e.kind == EventKind::burst_done) total += e.value;
    }
    std::uint64_t total = 0;
  } bytes;
  run.hub.subscribe(bytes);
  TraceOptions options;
  options.counter_interval = 100;
  const auto [contents, summary, interests] = trace(run, options);
  const auto integral = [&](const std::string& name) {
    const auto& values = contents.values.at(contents.track(name));
    double total = 0;
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      CHECK(values[i].value >= 0);
      if (i + 2 < values.size()) CHECK((values[i].at - 1) % 100 == 0);
      total += values[i].value * static_cast<double>(values[i + 1].at - values[i].at);
    }
    CHECK(values.back().value == 0);
    return total;
  };
  CHECK(integral("dram.read") / 1.5 == Approx(static_cast<double>(bytes.total)));
  CHECK(integral("matrix0.busy") ==
        Approx(100.0 * static_cast<double>(run.units.cycles(UnitId::matrix, State::busy))));
  CHECK(integral("vector0.busy") ==
        Approx(100.0 * static_cast<double>(run.units.cycles(UnitId::vector, State::busy))));
  CHECK(contents.values.count(contents.track("dram.write")) == 0);  // nothing was written
  CHECK(contents.tracks.at(contents.track("dram.read")).unit == "GB/s");
}

TEST_CASE("one root names the run and says what a nanosecond is, and its children stand in order") {
  TraceRun run;
  const auto [contents, summary, interests] = trace(run, {});
  const std::uint64_t root = contents.track("model on machine");
  CHECK(contents.tracks.at(root).description == "1 ns here is 1 cycle of the machine's clock (1.5 GHz)");
  std::map<std::uint64_t, std::string> children;
  for (const auto& [uuid, track] : contents.tracks) {
    if (track.parent == root) CHECK(children.emplace(track.rank, track.name).second);
  }
  std::vector<std::string> names;
  for (const auto& [rank, name] : children) names.push_back(name);
  CHECK(names == std::vector<std::string>{"token", "layer", "operator", "dram.read", "dram.write",
                                          "matrix0.busy", "vector0.busy", "fetch", "decode", "dispatch",
                                          "dma0.read", "dma0.write", "matrix0", "vector0", "writeback",
                                          "dram.channel0", "dram.channel1"});
}

TEST_CASE("level 1 has the timeline and the counters alone, and asks for fewer events") {
  TraceRun run, full_run;
  const auto full = trace(full_run, {});
  TraceOptions options;
  options.level = 1;
  const auto [contents, summary, interests] = trace(run, options);
  CHECK(contents.tracks.size() == 8);
  for (const char* track : {"token", "layer", "operator"}) {
    CHECK(contents.on(track).size() == full.contents.on(track).size());
  }
  CHECK((interests & kinds({EventKind::instruction, EventKind::burst_issued})) == 0);
  CHECK(summary.bytes < full.summary.bytes / 5);
}

TEST_CASE("a compressed trace has the same contents, and the summary says what is in it") {
  TraceRun run, zipped_run;
  const auto plain = trace(run, {}), zipped = trace(zipped_run, {}, "t.pftrace.gz");
  CHECK(zipped.contents.slices.size() == plain.contents.slices.size());
  for (const Traced* t : {&plain, &zipped}) {
    CHECK(t->summary.format == "perfetto");
    CHECK(t->summary.bytes == t->contents.bytes);
    CHECK(t->summary.entries == t->contents.slices.size() + t->contents.instants.size());
    CHECK(t->summary.truncated_at == kNever);
    CHECK(t->contents.instants.empty());
  }
}

TEST_CASE("no packet is longer than the bounds that the reserve at the cap is made of") {
  const TemporaryFolder folder;
  PerfettoFile file(folder / "t.pftrace", 1u << 20);
  std::uint64_t before = 0;
  const auto written = [&] { return file.file().bytes() - std::exchange(before, file.file().bytes()); };
  PerfettoTrack track(file, {std::string(40, 'n'), 1, 900, std::string(50, 'd'), ""});
  CHECK(written() <= PerfettoTrack::kTrackBound + 90);
  PerfettoTrack counter(file, {"c", track.id(), 5, "", "GB/s"});
  CHECK(written() <= PerfettoTrack::kTrackBound + 5);
  const std::vector<std::uint64_t> flows(5, ~0ull >> 1);
  const std::uint64_t late = 1ull << 62;
  for (std::size_t annotations = 0; annotations <= 3; ++annotations) {
    const std::string name(10 + 100 * annotations, 'x'), text(200, 'y');
    std::vector<PerfettoAnnotation> list(annotations, {PerfettoKey::instructions, ~0ull, {}});
    if (annotations > 1) list[0] = {PerfettoKey::operator_name, 0, {90000, text}};
    track.slice(Cycle(late * (annotations > 0)), Cycle(late),
                {80000 + static_cast<std::uint32_t>(annotations), name}, list, {~0ull, flows});
    const std::size_t bytes = name.size() + (annotations > 1 ? text.size() : 0);
    CHECK(written() <= PerfettoTrack::slice_bound(annotations, bytes, flows.size()));
  }
  counter.counter(Cycle(late), 0.1);
  CHECK(written() <= PerfettoTrack::kCounterBound);
  counter.instant(Cycle(2 * late), "mark");
  CHECK(written() <= PerfettoTrack::kInstantBound + 4);
}
