// SPDX-License-Identifier: Apache-2.0
// Random programs on random machines: is it the right result, and the same cycles under both clockings?
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <numeric>

#include "isa/instruction.h"
#include "numerics/scalar.h"
#include "support/interpreter.h"
#include "timing/machine_run.h"
#include "timing/program_generator.h"

using namespace tokencycle;
using namespace tokencycle::timing;

namespace {

constexpr std::uint64_t kPrograms = 600;

// One bit pattern for all NaNs: IEEE 754 leaves open which of two NaNs a sum passes on.
void unify_nans(std::vector<std::byte>& memory, const Areas& areas) {
  const auto unify = [&](std::size_t at, std::uint32_t mask, std::uint32_t infinity, std::size_t size) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, memory.data() + at, size);
    if ((bits & mask) <= infinity) return;
    bits = mask;
    std::memcpy(memory.data() + at, &bits, size);
  };
  for (const Area& a : areas) {
    for (std::uint32_t at = a.base; at < a.base + a.bytes(); at += block_bytes(a.format)) {
      if (a.format == Format::f32) {
        unify(at, 0x7fff'ffff, 0x7f80'0000, 4);
      } else if (a.format == Format::bf16) {
        unify(at, 0x7fff, 0x7f80, 2);
      } else if (a.format == Format::f16 || in_blocks(a.format)) {
        unify(at, 0x7fff, 0x7c00, 2);
        if (row_of(a.format).offset != Offset::none) unify(at + 2, 0x7fff, 0x7c00, 2);
      }
    }
  }
}

test::Interpreter interpreted(const config::Machine& machine, const isa::Program& program) {
  test::Interpreter oracle(kDataBytes, machine.scratchpad.capacity_bytes, machine.accumulator.capacity_bytes);
  oracle.place(program.data);
  oracle.run(program.words);
  return oracle;
}

bool same(std::vector<std::byte> a, std::vector<std::byte> b, const Areas& areas) {
  unify_nans(a, areas);
  unify_nans(b, areas);
  return a == b;
}

bool same_contents(const GeneratedProgram& p, const MachineRun& run, const test::Interpreter& oracle) {
  return same(run.dram, oracle.dram, p.dram_areas) &&
         same(run.scratchpad, oracle.scratchpad, p.scratchpad_areas) &&
         same(run.accumulator, oracle.accumulator, p.accumulator_areas);
}

void check_results(const config::Machine& machine, const GeneratedProgram& p, const MachineRun& run) {
  const test::Interpreter oracle = interpreted(machine, p.program);
  CHECK(same_contents(p, run, oracle));
  CHECK(run.records.size() == oracle.counts().instructions);
  CHECK(run.multiplications == oracle.counts().multiplications);
  const auto& load = run.traffic[static_cast<std::size_t>(memory::Requester::load)];
  const auto& store = run.traffic[static_cast<std::size_t>(memory::Requester::store)];
  CHECK(load.used_bytes == oracle.counts().loaded_bytes);
  CHECK(store.used_bytes == oracle.counts().stored_bytes);
  CHECK(load.moved_bytes == load.bursts * machine.dram.burst_bytes);
}

void check_accounting(const MachineRun& run) {
  for (std::size_t u = 0; u < run.states.size(); ++u) {
    INFO("unit " << u << " of observe::UnitList");
    CHECK(std::accumulate(run.states[u].begin(), run.states[u].end(), std::uint64_t{0}) == run.cycles());
  }
  CHECK(std::accumulate(run.stack.begin(), run.stack.end(), std::uint64_t{0}) == run.cycles());
}

// Stages follow each other as sim/machine/README.md says, and the units that work in order do.
void check_stages(const config::Machine& machine, const MachineRun& run) {
  std::uint64_t last_start[256] = {}, wrong = 0, in_cycle = 0;
  Cycle last_retired;
  for (const observe::InstructionRecord& r : run.records) {
    if (r.unit == isa::Unit::front_end) {
      wrong += !(r.fetched < r.decoded && r.decoded <= r.written_back);
      continue;
    }
    wrong += !(r.fetched < r.decoded && r.decoded < r.dispatched && r.dispatched < r.started &&
               r.started < r.finished && r.finished < r.written_back);
    in_cycle = r.written_back == last_retired ? in_cycle + 1 : 1;
    wrong += r.written_back < last_retired || in_cycle > machine.writeback.ports;
    last_retired = r.written_back;
  }
  std::vector<observe::InstructionRecord> ordered = run.records;
  std::sort(ordered.begin(), ordered.end(),
            [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  for (std::size_t n = 0; n < ordered.size(); ++n) {
    wrong += ordered[n].sequence != n || (n > 0 && ordered[n].decoded <= ordered[n - 1].decoded);
    std::uint64_t& last = last_start[static_cast<std::size_t>(observe::unit_id(ordered[n]))];
    if (ordered[n].unit == isa::Unit::front_end) continue;
    wrong += ordered[n].started.value < last;
    last = ordered[n].started.value;
  }
  CHECK(wrong == 0);
}

struct BothClockings {
  MachineRun gated, every;
};

// A program under both, which must be the same in all that is observed.
BothClockings run_both(const config::Machine& machine, const GeneratedProgram& p) {
  const BothClockings both{run_on(machine, p.program, {machine::Clocking::gated, kDataBytes}),
                           run_on(machine, p.program, {machine::Clocking::every_edge, kDataBytes})};
  CHECK(both.gated.digest == both.every.digest);
  CHECK(both.gated.event_count == both.every.event_count);
  CHECK(both.gated.execution.end == both.every.execution.end);
  CHECK(both.gated.stack == both.every.stack);
  CHECK(both.gated.states == both.every.states);
  check_results(machine, p, both.gated);
  check_accounting(both.gated);
  return both;
}

std::string text_of(std::uint64_t seed, const config::Machine& machine, const GeneratedProgram& p) {
  isa::Program words;
  words.words = p.program.words;
  return "seed " + std::to_string(seed) + "\n" + config::to_json(machine) + "\n" + isa::disassemble(words);
}

}  // namespace

TEST_CASE("loops of matrix instructions that are fast-forwarded do what they do cycle by cycle") {
  std::uint64_t cycles = 0, skipped = 0, programs = 0;
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    Random random(seed);
    const config::Machine machine = random_machine(random);
    const GeneratedProgram p = generate_matrix_loops(random, machine);
    INFO(text_of(seed, machine, p));
    const auto [gated, every] = run_both(machine, p);
    CHECK(gated.multiplications == every.multiplications);
    for (int port = 0; port < memory::kPorts; ++port) {
      CHECK(gated.ports[port].accesses == every.ports[port].accesses);
      CHECK(gated.ports[port].bytes == every.ports[port].bytes);
      CHECK(gated.ports[port].conflict_cycles == every.ports[port].conflict_cycles);
    }
    CHECK(every.skipped_cycles == 0);
    cycles += gated.cycles();
    skipped += gated.skipped_cycles;
    programs += gated.skipped_cycles > 0 ? 1 : 0;
  }
  INFO(skipped << " of " << cycles << " cycles in " << programs << " programs");
  CHECK(programs > kPrograms / 4);
  CHECK(skipped > cycles / 4);
}

TEST_CASE("random programs compute what the words say, and every edge or gated is the same") {
  std::uint64_t executed = 0, cycles = 0, edges = 0;
  std::array<std::uint64_t, observe::kStates> states{};
  std::array<std::uint64_t, config::kDataflows> multiplications{};
  for (std::uint64_t seed = 0; seed < kPrograms; ++seed) {
    Random random(seed);
    const config::Machine machine = with_several_units(random, random_machine(random));
    const GeneratedProgram p = generate_program(random, machine);
    INFO(text_of(seed, machine, p));
    const auto [gated, every] = run_both(machine, p);
    CHECK(gated.edges <= every.edges);
    CHECK(every.edges == every.cycles());
    check_stages(machine, gated);
    executed += gated.records.size();
    cycles += gated.cycles();
    edges += gated.edges;
    multiplications[static_cast<std::size_t>(machine.matrix.dataflow)] += gated.multiplications;
    for (const auto& unit : gated.states) {
      std::transform(states.begin(), states.end(), unit.begin(), states.begin(), std::plus<>());
    }
  }
  CHECK(executed > 30u * kPrograms);
  CHECK(edges < cycles);
  CHECK(*std::min_element(multiplications.begin(), multiplications.end()) > 0);
  for (int s = 0; s < observe::kStates; ++s) {  // the programs meet every stall there is
    INFO(observe::name_of(static_cast<observe::State>(s)));
    // Alone, a core that waits for a signal waits for ever: traps_test.cpp and decode_test.cpp have that.
    if (static_cast<observe::State>(s) == observe::State::semaphore_wait) continue;
    CHECK(states[static_cast<std::size_t>(s)] > 0);
  }
}

TEST_CASE("without the scoreboard's hazard checks random programs go wrong") {
  int wrong = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const config::Machine machine = random_machine(random);
    const GeneratedProgram p = generate_program(random, machine);
    RunOptions options{machine::Clocking::gated, kDataBytes};
    options.ignore_hazards = true;
    wrong += !same_contents(p, run_on(machine, p.program, options), interpreted(machine, p.program));
  }
  CHECK(wrong > 10);
}
