// SPDX-License-Identifier: Apache-2.0
// Several cores on one DRAM: does each compute what it computes alone, and does what they share cost both?
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "observe/analysis/of_core.h"
#include "timing/machine_run.h"
#include "timing/program_generator.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;
using machine::Clocking;

namespace {

constexpr std::uint64_t kProgramBytes = 0x10000;  // of DRAM for each program's words, from kWordsAt on

// A core as its observers saw it.
struct CoreRun {
  machine::Execution execution;
  std::vector<observe::InstructionRecord> records;
  observe::Stack stack{};
  std::array<std::uint64_t, observe::kStates> load_states{}, decode_states{};
  memory::TrafficCounters loads, stores;
  std::uint64_t cycles() const { return execution.end.value - execution.start.value; }
};

struct Run {
  std::vector<CoreRun> cores;
  std::string digest;
  std::vector<std::byte> dram;
};

class Watch : public observe::Observer {
 public:
  Watch(std::uint32_t channels, std::uint8_t core)
      : statistics(channels, Cycle(1)), to_stack(stack, core), to_statistics(statistics, core), core_(core) {}
  std::uint32_t interests() const override { return observe::kinds({}); }
  void on_event(const observe::Event&) override {}
  void on_retired(const observe::InstructionRecord& r) override {
    if (r.core == core_) records.push_back(r);
  }
  std::vector<observe::InstructionRecord> records;
  observe::CycleStack stack{Cycle(1)};
  observe::UnitStatistics statistics;
  observe::OfCore to_stack, to_statistics;

 private:
  std::uint8_t core_;
};

Run run_cores(const config::Machine& m, const std::vector<isa::Program>& programs, Clocking clocking,
              std::uint64_t dram_bytes = 0) {
  machine::Accelerator accelerator(m, clocking);
  observe::EventDigest digest;
  accelerator.events().subscribe(digest);
  std::vector<std::unique_ptr<Watch>> watches;
  std::vector<machine::ProgramPlace> places;
  for (std::size_t c = 0; c < programs.size(); ++c) {
    watches.push_back(std::make_unique<Watch>(m.dram.channels, static_cast<std::uint8_t>(c)));
    for (observe::Observer* o : std::initializer_list<observe::Observer*>{
             watches[c].get(), &watches[c]->to_stack, &watches[c]->to_statistics}) {
      accelerator.events().subscribe(*o);
    }
    for (const isa::DataSegment& d : programs[c].data) accelerator.dram().write(d.address, d.bytes);
    const DramAddress at = kWordsAt + c * kProgramBytes;
    accelerator.dram().write(at, std::as_bytes(std::span(programs[c].words)));
    places.push_back({at, static_cast<std::uint32_t>(programs[c].words.size())});
  }
  Run run;
  std::vector<machine::Execution> executions;
  try {
    executions = accelerator.execute(places);
  } catch (const SimulationError& error) {  // a core's store may have changed another's row numbers
    run.digest = error.what();
    run.cores.resize(programs.size());
    return run;
  }
  for (std::size_t c = 0; c < programs.size(); ++c) {
    Watch& watch = *watches[c];
    CoreRun core{executions[c], watch.records, watch.stack.take(executions[c].end), {}, {}, {}, {}};
    watch.statistics.settle_all(accelerator.now() + 1);
    for (int s = 0; s < observe::kStates; ++s) {
      core.load_states[static_cast<std::size_t>(s)] =
          watch.statistics.cycles(observe::UnitId::load, static_cast<observe::State>(s));
      core.decode_states[static_cast<std::size_t>(s)] =
          watch.statistics.cycles(observe::UnitId::decode, static_cast<observe::State>(s));
    }
    const auto number = static_cast<std::uint32_t>(c);
    core.loads = accelerator.traffic(memory::Requester::load, false, number);
    core.stores = accelerator.traffic(memory::Requester::store, true, number);
    run.cores.push_back(core);
  }
  run.digest = digest.hex();
  run.dram.resize(dram_bytes);
  accelerator.dram().read(DramAddress(0), run.dram);
  return run;
}

// Streams `blocks` KiB at `from` through the scratchpad, adds two of them and stores the sums at `to`.
isa::Program streaming_program(std::uint64_t from, std::uint64_t to, int blocks) {
  std::string text;
  for (int b = 0; b < blocks; ++b) {
    text += fmt::format("load dst=s:{} dram={} rows=1 cols=1024\n", b % 4 * 1024,
                        from + static_cast<std::uint64_t>(b) * 1024);
  }
  text += fmt::format(
      "add dst=s:0x1000 a=s:0 b=s:1024 rows=1 cols=256\n"
      "store a=s:0x1000 dram={} rows=1 cols=256 a_format=f32 dst_format=f32\nhalt",
      to);
  isa::Program program = isa::assemble(text, "test");
  std::vector<std::byte> bytes(static_cast<std::size_t>(blocks) * 1024);
  for (std::size_t i = 0; i < bytes.size() / 4; ++i) {
    const float value = static_cast<float>(i % 977) * 0.25f + static_cast<float>(from % 13);
    std::memcpy(bytes.data() + i * 4, &value, 4);
  }
  program.data.push_back({DramAddress(from), bytes});
  return program;
}

constexpr std::uint64_t kFrom[] = {0x400, 0x10400}, kTo[] = {0x30000, 0x38000};

}  // namespace

TEST_CASE("two cores on one DRAM compute what each computes alone, and each is slower than alone") {
  config::Machine m = plain_machine();
  m.dram.requests_in_flight = 16;  // fewer than one engine alone would have: they share them fairly
  const std::vector<isa::Program> programs = {streaming_program(kFrom[0], kTo[0], 40),
                                              streaming_program(kFrom[1], kTo[1], 40)};
  std::vector<Run> alone;
  for (const isa::Program& p : programs) alone.push_back(run_cores(m, {p}, Clocking::gated, 0x40000));
  m.cores = 2;
  const Run both = run_cores(m, programs, Clocking::gated, 0x40000);
  for (std::size_t c = 0; c < 2; ++c) {
    INFO("core " << c);
    const CoreRun &shared = both.cores[c], &own = alone[c].cores[0];
    CHECK(std::equal(both.dram.begin() + static_cast<std::ptrdiff_t>(kTo[c]),
                     both.dram.begin() + static_cast<std::ptrdiff_t>(kTo[c]) + 1024,
                     alone[c].dram.begin() + static_cast<std::ptrdiff_t>(kTo[c])));
    CHECK(both.dram[kTo[c] + 7] != std::byte{0});
    // One channel of 16 bytes a cycle: what streams takes nearly twice as long, for both.
    CHECK(shared.cycles() > own.cycles() * 18 / 10);
    CHECK(shared.cycles() < own.cycles() * 22 / 10);
    CHECK(shared.loads.used_bytes == 40u * 1024);
    CHECK(shared.loads.used_bytes == own.loads.used_bytes);
    CHECK(shared.loads.moved_bytes == own.loads.moved_bytes);
    CHECK(shared.stores.used_bytes == 1024);
    CHECK(shared.records.size() == own.records.size());
    std::uint64_t stack = 0, states = 0;
    for (const std::uint64_t cycles : shared.stack) stack += cycles;
    for (const std::uint64_t cycles : shared.load_states) states += cycles;
    CHECK(stack == shared.cycles());
    CHECK(states == std::max(both.cores[0].cycles(), both.cores[1].cycles()));
    CHECK(shared.stack[static_cast<std::size_t>(observe::Cause::dram_bandwidth)] > shared.cycles() / 2);
  }
}

TEST_CASE("a core that has no program, or whose program is over, changes nothing for the other") {
  config::Machine m = plain_machine();
  const isa::Program program = streaming_program(0, 0x30000, 20), nothing = isa::assemble("halt", "test");
  const Run alone = run_cores(m, {program}, Clocking::gated, 0x40000);
  m.cores = 3;
  const Run first = run_cores(m, {program}, Clocking::gated, 0x40000);
  CHECK(first.digest == alone.digest);  // its number is 0
  CHECK(first.cores[0].cycles() == alone.cores[0].cycles());
  const Run beside = run_cores(m, {nothing, program}, Clocking::gated, 0x40000);
  CHECK(beside.dram == alone.dram);
  CHECK(beside.cores[0].cycles() < 100);
  CHECK(beside.cores[1].cycles() >= alone.cores[0].cycles());  // the halt's word is read from the same DRAM
  CHECK(beside.cores[1].cycles() <= alone.cores[0].cycles() + 4);
  CHECK(run_cores(m, {nothing, nothing, nothing, nothing}, Clocking::gated).digest ==
        "4 programs for a machine of 3 cores (/cores)");
}

TEST_CASE("a core waits for what another one has stored, and reads it") {
  // Core 0 doubles eight numbers, core 1 adds one to the doubled ones; without the wait it would read zeros.
  const isa::Program first = isa::assemble(
      ".data 0x1000 f32 1 2 3 4 5 6 7 8\nload dst=s:0 dram=0x1000 rows=1 cols=32\n"
      "scale dst=s:64 a=s:0 rows=1 cols=8 scalar=2\nstore a=s:64 dram=0x2000 rows=1 cols=8\n"
      "signal semaphore=7 units=store\nhalt",
      "test");
  const std::string add =
      "load dst=s:0 dram=0x2000 rows=1 cols=32\nadd_scalar dst=s:64 a=s:0 rows=1 cols=8 scalar=1\n"
      "store a=s:64 dram=0x3000 rows=1 cols=8\nhalt";
  const isa::Program second = isa::assemble("wait semaphore=7\n" + add, "test"),
                     hasty = isa::assemble(add, "test");
  config::Machine m = plain_machine();
  m.cores = 2;
  const auto result = [](const Run& run) {
    std::array<float, 8> values{};
    std::memcpy(values.data(), run.dram.data() + 0x3000, sizeof values);
    return values;
  };
  const Run gated = run_cores(m, {first, second}, Clocking::gated, 0x4000),
            every = run_cores(m, {first, second}, Clocking::every_edge, 0x4000);
  CHECK(result(gated) == std::array<float, 8>{3, 5, 7, 9, 11, 13, 15, 17});
  CHECK(gated.digest == every.digest);
  CHECK(gated.dram == every.dram);
  const auto waited = static_cast<std::size_t>(observe::State::semaphore_wait);
  // It is decoded when its word is there, and leaves in the cycle after the signal.
  const observe::InstructionRecord &signal = gated.cores[0].records[3], &wait = gated.cores[1].records[0];
  CHECK(wait.written_back == signal.written_back + 1);
  CHECK(gated.cores[1].decode_states[waited] == wait.written_back.value - wait.decoded.value);
  CHECK(gated.cores[1].decode_states[waited] > 100);
  CHECK(gated.cores[0].decode_states[waited] == 0);
  CHECK(gated.cores[1].decode_states == every.cores[1].decode_states);
  CHECK(result(run_cores(m, {first, hasty}, Clocking::gated, 0x4000)) ==
        std::array<float, 8>{1, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("several cores: every-edge and gated clocking give the same events") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    config::Machine m = with_several_units(random, random_machine(random));
    m.cores = 2 + seed % 2;
    std::vector<isa::Program> programs;
    for (std::uint32_t c = 0; c < m.cores; ++c) programs.push_back(generate_program(random, m).program);
    INFO("seed " << seed << ", " << m.cores << " cores");
    const Run gated = run_cores(m, programs, Clocking::gated, 0x40000),
              every = run_cores(m, programs, Clocking::every_edge, 0x40000);
    CHECK(gated.digest == every.digest);
    CHECK(gated.dram == every.dram);
    for (std::size_t c = 0; c < m.cores; ++c)
      CHECK(gated.cores[c].execution.end == every.cores[c].execution.end);
  }
}
