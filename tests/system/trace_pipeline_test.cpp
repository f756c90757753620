// SPDX-License-Identifier: Apache-2.0
// Do the pipeline trace and the waves of a model's steps say what the machine did?
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/compiler.h"
#include "observe/analysis/unit_statistics.h"
#include "observe/event_digest.h"
#include "observe/kanata/trace.h"
#include "observe/waves/fst_file.h"
#include "support/kanata_linter.h"
#include "support/synthetic_model.h"
#include "support/vcd_reader.h"
#include "trial.h"

using namespace tokencycle;
using observe::InstructionRecord;
using observe::State;
using observe::UnitId;

namespace {

class Recorder : public observe::Observer {
 public:
  std::uint32_t interests() const override { return observe::kinds({}); }
  void on_event(const observe::Event&) override {}
  void on_retired(const InstructionRecord& record) override { records[record.sequence] = record; }
  std::map<std::uint64_t, InstructionRecord> records;  // by sequence
};

struct Steps {
  std::map<std::uint64_t, InstructionRecord> records;
  std::string digest;
  std::vector<std::array<std::uint64_t, observe::kStates>> states;  // [unit][state]: cycles
  std::uint64_t moved_bytes = 0;
  std::uint64_t words = 0;  // of the last program
  Cycle end;
};

// A prompt of two tokens and one token more, without values, watched by the writers.
Steps run(const config::Machine& machine, const std::vector<observe::TraceWriter*>& writers) {
  const auto model = test::make_synthetic_model({.layers = 1, .matrices = Format::q8_0});
  compiler::Compiler compiler(*model, machine, {});
  machine::Accelerator accelerator(machine, machine::Clocking::gated, machine::Values::absent);
  Recorder recorder;
  observe::EventDigest digest;
  observe::UnitStatistics units(machine.dram.channels, Cycle(1));
  accelerator.events().subscribe(recorder);
  accelerator.events().subscribe(digest);
  accelerator.events().subscribe(units);
  for (observe::TraceWriter* w : writers) accelerator.events().subscribe(*w);
  Steps steps;
  steps.end = Cycle(1);
  for (const std::uint32_t token : {0u, 1u}) {
    const std::uint32_t tokens = token == 0 ? 2 : 1;
    const compiler::CompiledStep step = compiler.compile(compiler::one_sequence(token * 2, tokens));
    accelerator.dram().write(compiler.layout().program, std::as_bytes(std::span(step.program.words)));
    for (observe::TraceWriter* w : writers) {
      w->begin_step({&step.program, steps.end, token, tokens, token == 0 ? "prefill" : "decode"});
    }
    const auto words = static_cast<std::uint32_t>(step.program.words.size());
    steps.words = words;
    steps.end = accelerator.execute(compiler.layout().program, words).end;
    for (observe::TraceWriter* w : writers) w->end_step(steps.end);
  }
  for (observe::TraceWriter* w : writers) w->close(steps.end, "");
  units.settle_all(steps.end);
  for (std::size_t u = 0; u < units.units().size(); ++u) {
    steps.states.emplace_back();
    for (int s = 0; s < observe::kStates; ++s) {
      steps.states.back()[static_cast<std::size_t>(s)] =
          units.cycles(static_cast<UnitId>(u), static_cast<State>(s));
    }
  }
  for (int r = 0; r < memory::kRequesters; ++r) {
    for (const bool write : {false, true}) {
      steps.moved_bytes += accelerator.traffic(static_cast<memory::Requester>(r), write).moved_bytes;
    }
  }
  steps.records = std::move(recorder.records);
  steps.digest = digest.hex();
  return steps;
}

// A file that goes away, and the options for it.
class TraceFileOf {
 public:
  TraceFileOf(const config::Machine& machine, const std::string& extension) {
    options.path = std::filesystem::temp_directory_path() /
                   ("tokencycle_pipeline_" + std::to_string(::getpid()) + extension);
    options.max_bytes = 1u << 30;
    options.machine = &machine;
  }
  ~TraceFileOf() {
    std::error_code ignored;
    std::filesystem::remove(options.path, ignored);
  }
  TraceFileOf(const TraceFileOf&) = delete;
  TraceFileOf& operator=(const TraceFileOf&) = delete;
  std::string text() const {
    std::ifstream in(options.path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  observe::TraceOptions options;
};

// Where a stage of lane 0 begins and ends; the stage is absent when it has no cycles.
void check_stage(const test::KanataOp& op, const std::string& name, Cycle begin, Cycle end) {
  for (const test::KanataStage& s : op.lane(0)) {
    if (s.name != name) continue;
    CHECK(s.begin == begin.value);
    CHECK(s.end == end.value);
    return;
  }
  CHECK(begin == end);
}

void check_stages(const test::KanataOp& op, const InstructionRecord& r) {
  CHECK(op.begin >= r.fetched.value);
  check_stage(op, "F", Cycle(op.begin), r.decoded);
  if (r.unit == isa::Unit::front_end) {
    check_stage(op, "D", r.decoded, r.written_back + 1);
    CHECK(op.lane(0).size() <= 2);
    return;
  }
  static constexpr std::array kNames = {"", "Xl", "Xs", "Xm", "Xv"};
  check_stage(op, "D", r.decoded, r.dispatched);
  check_stage(op, "Q", r.dispatched, r.started);
  check_stage(op, kNames[static_cast<std::size_t>(r.unit)], r.started, r.finished);
  check_stage(op, "W", r.finished, r.written_back);
  CHECK(op.end == r.written_back.value);
}

// The producer retired, or left its queue, while the consumer was in decode.
void check_arrow(const InstructionRecord& consumer, const InstructionRecord& producer) {
  const Cycle leaves =
      consumer.unit == isa::Unit::front_end ? consumer.written_back : Cycle(consumer.dispatched.value - 1);
  const auto meanwhile = [&](Cycle c) { return consumer.decoded < c && c <= leaves; };
  CHECK(producer.sequence < consumer.sequence);
  CHECK((meanwhile(producer.written_back) || meanwhile(producer.finished) || meanwhile(producer.started)));
}

}  // namespace

TEST_CASE("the pipeline trace of a model's steps has every stage of every instruction of every machine") {
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    const config::Machine machine = test::machine(name);
    const TraceFileOf file(machine, ".kanata");
    observe::KanataTrace trace(file.options);
    const Steps steps = run(machine, {&trace});
    CHECK(steps.digest == run(machine, {}).digest);  // tracing changes nothing
    const std::vector<test::KanataOp> ops = test::lint_kanata(file.text());
    REQUIRE(ops.size() == steps.records.size());
    std::size_t arrows = 0, stalled = 0;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      CAPTURE(i);
      const InstructionRecord& r = steps.records.at(ops[i].sequence);
      CHECK(ops[i].sequence == i);
      check_stages(ops[i], r);
      for (const std::uint64_t p : ops[i].producers) check_arrow(r, steps.records.at(ops[p].sequence));
      arrows += ops[i].producers.size();
      stalled += ops[i].lane(1).size();
    }
    CHECK(arrows > 10);
    CHECK(stalled > 10);
  }
}

TEST_CASE("a unit's state lasts in the waves as long as it was counted") {
  for (const std::string& name : test::machine_names()) {
    CAPTURE(name);
    const config::Machine machine = test::machine(name);
    const TraceFileOf file(machine, ".vcd"), compressed(machine, ".fst");
    const auto trace = observe::make_vcd_trace(file.options);
    std::vector<observe::TraceWriter*> writers = {trace.get()};
    std::unique_ptr<observe::TraceWriter> fst;
    if (observe::can_write_fst()) {
      fst = observe::make_fst_trace(compressed.options);
      writers.push_back(fst.get());
    }
    const Steps steps = run(machine, writers);
    const test::VcdDump dump = test::read_vcd(file.text());
    CHECK(dump.changes == trace->summary().entries);
    if (fst) CHECK(fst->summary().entries == dump.changes);
    CHECK(dump.first == 1);
    CHECK(dump.last == steps.end.value);
    for (std::size_t u = 0; u < steps.states.size(); ++u) {
      const std::string path = name_of(static_cast<UnitId>(u)) + ".state";
      CAPTURE(path);
      std::map<std::string, std::uint64_t> cycles;
      const auto& changes = dump.signals.at(path).changes;
      for (std::size_t i = 0; i < changes.size(); ++i) {
        const std::uint64_t until = i + 1 < changes.size() ? changes[i + 1].time : steps.end.value;
        cycles[changes[i].value] += until - changes[i].time;
      }
      for (int s = 0; s < observe::kStates; ++s) {
        const std::string state(observe::name_of(static_cast<State>(s)));
        CHECK(cycles[state] == steps.states[u][static_cast<std::size_t>(s)]);
      }
    }
    // Every burst was done, or is still in flight.
    std::uint64_t moved = 0;
    for (std::uint32_t c = 0; c < machine.dram.channels; ++c) {
      const std::string scope = name_of(observe::channel_id(c));
      const auto number = [&](const char* signal) {
        return std::stoull(dump.signals.at(scope + signal).at(dump.last), nullptr, 2);
      };
      moved += number(".moved_bytes") + number(".bursts") * machine.dram.burst_bytes;
    }
    CHECK(moved == steps.moved_bytes);
    for (const char* path : {"dma0.read", "dma0.write", "matrix0", "vector0"}) {
      CHECK(dump.signals.at(std::string(path) + ".queued").at(dump.last) == "0");
      CHECK(dump.signals.at(std::string(path) + ".running").at(dump.last) == "0");
    }
    CHECK(dump.signals.at("decode.operator").changes.size() > 10);
    CHECK(dump.signals.at("decode.in_flight").at(dump.last) == "0");
    // Bursts may overtake each other; the last words of the program arrive, and none behind them.
    const auto& arrivals = dump.signals.at("fetch.arrived").changes;
    const auto end_of = [](const test::VcdChange& c) { return std::stoull(c.value, nullptr, 2); };
    CHECK(std::any_of(arrivals.begin(), arrivals.end(),
                      [&](const test::VcdChange& c) { return end_of(c) == steps.words; }));
    CHECK(end_of(arrivals.back()) <= steps.words);
  }
}
