// SPDX-License-Identifier: Apache-2.0
// Is it the right cycle: does hardware written from the documentation do in each cycle what the model does?
#include <fmt/format.h>

#include <bit>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "compiler/compiler.h"
#include "observe/event.h"
#include "rtl/pipeline_bench.h"
#include "support/configs.h"
#include "support/synthetic_model.h"
#include "timing/program_generator.h"

using namespace tokencycle;
using namespace tokencycle::rtl;
namespace fs = std::filesystem;

namespace {

constexpr DramAddress kWordsAt{0x40000};

Trace random_trace(std::uint64_t seed) {
  timing::Random random(seed);
  const config::Machine machine = timing::random_machine(random);
  timing::GeneratedProgram p = timing::generate_program(random, machine);
  return record(machine, std::move(p.program.words), kWordsAt, p.program.data);
}

// Prints what differs past Catch, which would break the waves' lines.
bool same(const Comparison& comparison) {
  if (!comparison.agrees) Catch::cerr() << comparison.difference << std::flush;
  return comparison.agrees;
}

struct Totals {
  std::uint64_t sequences = 0, cycles = 0, instructions = 0;
};

Totals compare_random(std::uint64_t first, std::uint64_t count) {
  PipelineBench bench;
  Totals totals;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Trace trace = random_trace(seed);
    const Comparison result = bench.replay(trace);
    INFO("seed " << seed << "\n" << config::to_json(trace.machine));
    REQUIRE(same(result));
    ++totals.sequences;
    totals.cycles += result.cycles;
    totals.instructions += trace.instructions;
  }
  return totals;
}

void check_same(const config::Machine& machine, const isa::Program& program) {
  const Trace trace = record(machine, program.words, kWordsAt, program.data);
  PipelineBench bench;
  CHECK(same(bench.replay(trace)));
  CHECK(trace.instructions > 0);
}

// A machine whose buffer holds few words, so that loops leave it.
config::Machine narrow_machine() {
  config::Machine m = timing::plain_machine();
  m.fetch = {10, 2};
  m.scoreboard.entries = 3;
  m.dispatch.queue_depth = 2;
  return config::parse_machine(config::to_json(m), "narrow machine");
}

std::string read_text(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("no cycle of random programs on random machines differs between model and RTL") {
  const Totals totals = compare_random(0, 300);
  CHECK(totals.instructions > 300 * 30);
}

// A loop of no iteration leaves the window behind words whose burst is still under way; the machine once put
// that burst's words into slots that were other words' by then.
TEST_CASE("words that a loop of no iteration skipped while they were under way are dropped") {
  CHECK(compare_random(101'636, 1).sequences == 1);
}

// Hidden: README.md says how to run it, and what it found.
TEST_CASE("no cycle of ten thousand random programs differs", "[.long]") {
  const Totals totals = compare_random(100'000, 10'000);
  WARN(fmt::format("{} sequences, {} instructions, {} cycles: no difference", totals.sequences,
                   totals.instructions, totals.cycles));
}

TEST_CASE("loops that end on one word, leave the buffer or hold their own steps take the same cycles") {
  const char* const text = GENERATE(
      "loop count=3 until=a r1+=64\n loop count=2 until=a r1+=-8 r2+=16\n nop\n copy dst=s:0x100+r1 "
      "a=s:0x0+r2 "
      "rows=1 cols=4\na:\nhalt\n",
      "set_address r3=5\nloop count=4 until=a r3+=1\nloop count=3 until=a r3+=2\nloop count=2 until=a r3+=3 "
      "r3+=4\n"
      "loop count=2 until=a\nadd_address r3=-1\na:\ncopy dst=s:0x200+r3 a=s:0x0 rows=1 cols=1\n"
      "store a=s:0x200+r3 a_stride=4 dram=0x100+r3 dram_stride=4 rows=1 cols=1 a_format=u8 "
      "dst_format=u8\nhalt\n",
      "loop count=3 until=a\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n "
      "nop\na:\nhalt\n",
      "loop count=2 until=a\n nop\n loop count=3 until=b\n nop\n nop\n b:\n nop\n nop\n nop\n nop\n nop\n "
      "nop\na:\n"
      "fence units=load\nhalt\n",
      "loop count=1 until=a\nnop\na:\nnop\nhalt\n");
  const isa::Program program = isa::assemble(text, "test");
  check_same(timing::plain_machine(), program);
  check_same(narrow_machine(), program);
}

TEST_CASE("each obstacle in decode takes the same cycles") {
  const char* const text = GENERATE(
      // read after write, write after write, write after read through scratchpad and DRAM
      "load dst=s:0x0 dst_stride=64 dram=0x1000 dram_stride=64 rows=4 cols=64\n"
      "add dst=s:0x400 dst_stride=64 a=s:0x0 a_stride=64 b=s:0x40 rows=2 cols=16\n"
      "load dst=s:0x400 dst_stride=64 dram=0x2000 dram_stride=64 rows=2 cols=64\n"
      "load dst=s:0x0 dst_stride=64 dram=0x2000 dram_stride=64 rows=2 cols=64\n"
      "store a=s:0x400 a_stride=64 dram=0x1000 dram_stride=64 rows=2 cols=16\n"
      "load dst=s:0x800 dst_stride=64 dram=0x1040 dram_stride=64 rows=1 cols=64\nhalt\n",
      // words that are still to be written, and words that are there; loops of as many iterations, of none
      // too
      "load dst=s:0x0 dst_stride=64 dram=0x1000 dram_stride=64 rows=4 cols=64\n"
      "read_address r1=0x40 a=s:0x80 word_stride=3 extent=9\nread_address r2=-0x40 a=s:0x3ff0+r1 extent=1\n"
      "copy dst=s:0x400+r1 a=s:0x800 rows=1 cols=16\nread_address r3=4 a=s:0x400+r1 word_stride=1 extent=2\n"
      "read_address r4=0 a=s:0x900 word_stride=1 extent=2\n"
      "loop count=4 times=r3 until=a r1+=64\n loop count=3 times=r4 until=a\n  nop\n  nop\na:\n"
      "loop count=2 times=r4 until=b\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n "
      "nop\nb:\n"
      "loop count=2 until=c\n load dst=s:0x0 dst_stride=64 dram=0x2000 dram_stride=64 rows=1 cols=64\n"
      " read_address r5=0 a=s:0x0 extent=3\n loop count=1 times=r5 until=c\n nop\nc:\nhalt\n",
      // fences over one unit and over all
      "load dst=s:0x0 dst_stride=64 dram=0x1000 dram_stride=64 rows=4 cols=64\nfence units=vector\n"
      "copy dst=s:0x400 a=s:0x800 rows=1 cols=64\nfence units=load,vector\nnop\nfence "
      "units=load,store,matrix\nhalt\n",
      // a gather orders after a store anywhere into its table
      "store a=s:0x400 a_stride=64 dram=0x8000 dram_stride=64 rows=2 cols=16\n"
      "gather dst=s:0x0 dst_stride=64 dram=0x1000 dram_stride=64 rows=2 cols=64 a=s:0x100 "
      "table_rows=512\nhalt\n",
      // more of one unit than its queue and the board hold
      "copy dst=s:0x0 a=s:0x800 rows=1 cols=64\ncopy dst=s:0x100 a=s:0x800 rows=1 cols=64\n"
      "copy dst=s:0x200 a=s:0x800 rows=1 cols=64\ncopy dst=s:0x300 a=s:0x800 rows=1 cols=64\n"
      "copy dst=s:0x400 a=s:0x800 rows=1 cols=64\nload dst=s:0x0 dst_stride=64 dram=0 dram_stride=64 rows=1 "
      "cols=64\n"
      "halt\n");
  const isa::Program program = isa::assemble(text, "test");
  check_same(timing::plain_machine(), program);
  check_same(narrow_machine(), program);
}

TEST_CASE("a wait without a signal waits in the RTL as long as the model is watched") {
  config::Machine m = timing::plain_machine();
  m.watchdog_cycles = 200;
  const isa::Program program = isa::assemble(
      "load dst=s:0x0 dst_stride=64 dram=0x1000 dram_stride=64 rows=4 cols=64\nsignal semaphore=3 "
      "units=load\n"
      "wait semaphore=3\nnop\nwait semaphore=3\nhalt\n",
      "test");
  const Trace trace = record(m, program.words, kWordsAt, program.data);
  CHECK(trace.signals.back().decode == static_cast<std::uint8_t>(observe::State::semaphore_wait));
  PipelineBench bench;
  CHECK(same(bench.replay(trace)));
}

TEST_CASE("programs of the instruction set's tests take the same cycles") {
  for (const auto& entry : fs::directory_iterator(fs::path(TOKENCYCLE_SOURCE_DIR) / "tests/isa/programs")) {
    if (entry.path().extension() != ".tcasm") continue;
    INFO(entry.path());
    config::Machine machine = timing::plain_machine();
    machine.matrix.rows = machine.matrix.columns = 32;
    check_same(machine, isa::assemble(read_text(entry.path()), entry.path().string()));
  }
}

TEST_CASE("decode steps of a model take the same cycles on the machines of configs") {
  test::SyntheticModel spec;
  spec.layers = 1;
  spec.matrices = Format::q8_0;
  const std::unique_ptr<model::LlamaModel> model = test::make_synthetic_model(spec);
  PipelineBench bench;
  for (const config::Machine& machine : test::one_core_machines()) {
    const compiler::Compiler compiler(*model, machine, {});
    for (const compiler::Step& step : {compiler::one_sequence(0, 2), compiler::one_sequence(2, 1)}) {
      INFO(machine.name << ", " << step.tokens() << " tokens");
      const Trace trace =
          record(machine, compiler.compile(step).program.words, compiler.layout().program, {});
      CHECK(same(bench.replay(trace)));
      CHECK(trace.instructions > 50);
    }
  }
}

TEST_CASE("a pipeline that asks memory for a burst more or less at a time is found, with either memory") {
  test::SyntheticModel spec;
  spec.layers = 1;
  spec.matrices = Format::q8_0;
  const std::unique_ptr<model::LlamaModel> model = test::make_synthetic_model(spec);
  PipelineBench bench;
  for (const std::string name : {"edge", "edge-ideal", "gemmini", "tiny"}) {
    const config::Machine machine =
        config::read_machine(fs::path(TOKENCYCLE_SOURCE_DIR) / "configs" / (name + ".json"));
    const compiler::Compiler compiler(*model, machine, {});
    Trace trace = record(machine, compiler.compile(compiler::one_sequence(0, 1)).program.words,
                         compiler.layout().program, {});
    REQUIRE(bench.replay(trace).agrees);
    for (const int more : {-1, 1}) {
      INFO(name << ", " << more);
      trace.machine.fetch.requests_in_flight =
          machine.fetch.requests_in_flight + static_cast<std::uint32_t>(more);
      const Comparison result = bench.replay(trace);
      CHECK_FALSE(result.agrees);
      CHECK(result.difference.find("granted    model") != std::string::npos);
    }
  }
}

TEST_CASE("a word beyond its bound is refused by the RTL at the same word in the same cycle") {
  const std::string text = GENERATE(
      ".data 0x1000 u32 4\nload dst=s:0x40 dram=0x1000 rows=1 cols=4\n"
      "read_address r1=0 a=s:0x40 extent=4\nhalt\n",
      "set_address r1=3\nloop count=2 times=r1 until=a\nnop\na:\nhalt\n",
      "set_address r1=-3\nloop count=2 times=r1 until=a\nnop\na:\nhalt\n");
  const isa::Program program = isa::assemble(text, "test");
  const Trace trace = record(timing::plain_machine(), program.words, kWordsAt, program.data);
  REQUIRE(trace.trap.has_value());
  PipelineBench bench;
  CHECK(same(bench.replay(trace)));
}

TEST_CASE("what the model's decode refuses the RTL refuses at the same word in the same cycle") {
  const std::string text = GENERATE(
      "load dst=s:0x3fc1 dst_stride=64 dram=0 dram_stride=64 rows=1 cols=64\nhalt\n",
      "nop\nstore a=s:0x0 a_stride=64 dram=0xfffc1 dram_stride=64 rows=1 cols=16\nhalt\n",
      "nop\nread_address r1=0 a=s:0x3ffd extent=4\nhalt\n", "nop\nsend a=s:0 rows=1 cols=4 link=3\nhalt\n",
      "receive dst=s:0 rows=1 cols=4 link=3\nhalt\n",
      "set_address r1=-1\ncopy dst=s:0x0+r1 a=s:0x100 rows=1 cols=1\nhalt\n",
      "set_address r1=0x80000000\ncopy dst=s:0x0 a=s:0x100+r1 rows=1 cols=1\nhalt\n",
      "set_address r1=-8\nload dst=s:0x0 dst_stride=64 dram=0x4+r1 dram_stride=64 rows=1 cols=64\nhalt\n",
      "load dst=s:0x0 dst_stride=60 dram=0 dram_stride=64 rows=2 cols=64\nhalt\n",
      "store a=s:0x0 a_stride=64 dram=0 dram_stride=63 rows=2 cols=16\nhalt\n",
      "multiply a=s:0x0 a_format=f32 dst=a:0 dst_stride=28 rows=2 cols=8 depth=1 open close\nhalt\n",
      "multiply a=s:0x0 a_format=f32 dst=a:0 dst_stride=4 rows=2 cols=8 depth=1 transposed open "
      "close\nhalt\n",
      "matmul a=s:0x0 b=s:0x0 dst=a:0 dst_stride=28 rows=2 cols=8 depth=1\nhalt\n",
      "gather dst=s:0x0 dst_stride=64 dram=0x100000 dram_stride=64 rows=1 cols=64 a=s:0x100 "
      "table_rows=1\nhalt\n",
      "copy dst=s:0x0 a=s:0x100 rows=1 cols=64\nnop\n",
      "loop count=2 length=1\nloop count=2 length=2\nnop\nnop\nhalt\n",
      "loop count=2 length=5\nloop count=2 length=4\nloop count=2 length=3\nloop count=2 length=2\n"
      "loop count=2 length=1\nnop\nhalt\n");
  INFO(text);
  isa::Program program;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("loop")) {  // the assembler would refuse these nests
      isa::Instruction loop;
      loop.op = isa::Opcode::loop;
      loop.count = 2;
      loop.length = static_cast<std::uint32_t>(line.back() - '0');
      program.words.push_back(isa::encode(loop));
    } else {
      program.words.push_back(isa::assemble(line, "test").words.front());
    }
  }
  const Trace trace = record(timing::plain_machine(), program.words, kWordsAt, {});
  REQUIRE(trace.trap.has_value());
  PipelineBench bench;
  CHECK(same(bench.replay(trace)));
}

TEST_CASE("every fault in the RTL is found, and shown as waves") {
  constexpr int kFaults = 10;  // of isa_pkg.sv
  constexpr int kEnough = 3;   // programs that find a fault
  PipelineBench bench;
  std::array<int, kFaults> found{};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Trace trace = random_trace(seed);
    for (int fault = 0; fault < kFaults; ++fault) {
      int& count = found[static_cast<std::size_t>(fault)];
      if (count == kEnough) continue;
      const Comparison result = bench.replay(trace, 1u << fault);
      if (result.agrees) continue;
      ++count;
      CHECK(result.difference.find("decode     model") != std::string::npos);
      CHECK(result.difference.find('^') != std::string::npos);
    }
  }
  for (int fault = 0; fault < kFaults; ++fault) {
    INFO("fault " << fault);
    CHECK(found[static_cast<std::size_t>(fault)] == kEnough);
  }
}
