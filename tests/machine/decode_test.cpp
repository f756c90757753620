// SPDX-License-Identifier: Apache-2.0
// Decode: loop nests and address registers as sim/isa/reference.cpp defines them, and the bounds of the
// memories.
#include "machine/front_end/decode.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>

#include "base/error.h"
#include "isa/program.h"

using namespace tokencycle;
using namespace tokencycle::machine;
using isa::Instruction;
using isa::Opcode;

namespace {

// All words are there at once.
class Words : public InstructionSource {
 public:
  std::vector<isa::Word> program;
  bool stopped = false;
  std::uint32_t loop_capacity = 1000;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> moves;  // (pc, keep)

  FetchedWord peek(Cycle now, std::uint32_t pc) override { return {&program.at(pc), now - 1, now}; }
  void move_to(Cycle, std::uint32_t pc, std::uint32_t keep) override { moves.push_back({pc, keep}); }
  std::uint32_t capacity() const override { return loop_capacity; }
  std::uint32_t words() const override { return static_cast<std::uint32_t>(program.size()); }
  void stop(Cycle) override { stopped = true; }
};

// Takes instructions; the test retires them at once.
class Taken : public InstructionQueue {
 public:
  std::vector<Instruction> instructions;
  std::vector<InFlight*> entries;
  void push(Cycle, InFlight& entry) override {
    instructions.push_back(entry.instruction);
    entries.push_back(&entry);
  }
};

class NoClock : public ClockControl {
 public:
  void wake(Turn, Cycle) override {}
  void stop() override {}
};

config::Machine machine() {
  config::Machine m;
  m.scratchpad.capacity_bytes = 0x10000;
  m.accumulator.capacity_bytes = 0x1000;
  m.dram.capacity_bytes = 1u << 20;
  return m;
}

struct Bench {
  observe::EventHub hub;
  Words words;
  Taken taken;
  NoClock clock;
  memory::Scratchpad scratchpad{machine().scratchpad};
  LocalMemory local{scratchpad, machine().accumulator.capacity_bytes};
  Semaphores own;
  Decode decode;
  std::uint64_t steps = 0;

  explicit Bench(std::vector<isa::Word> program, Semaphores* shared = nullptr)
      : decode(machine(), hub, local, shared == nullptr ? own : *shared, words, taken,
               ClockLine(clock, Turn{})) {
    words.program = std::move(program);
  }
  void run() {
    decode.start(Cycle(1));
    for (Cycle now(2); !decode.halted(); now += Cycle(1), ++steps) {
      decode.edge(now);
      while (!taken.entries.empty()) {
        decode.left_queue(now, *taken.entries.back());
        decode.retired(now, *taken.entries.back());
        taken.entries.pop_back();
      }
    }
  }
};

std::vector<Instruction> run_text(const std::string& text) {
  Bench bench(isa::assemble(text, "test").words);
  bench.run();
  CHECK(bench.words.stopped);
  return bench.taken.instructions;
}

// The pseudo code of sim/isa/reference.cpp: resolved loads of words [first, end).
void nest(const std::vector<isa::Word>& words, std::size_t first, std::size_t end,
          std::array<std::int64_t, 16>& r, std::vector<std::uint64_t>& addresses) {
  for (std::size_t w = first; w < end; ++w) {
    const Instruction i = isa::decode(words[w]);
    if (i.op == Opcode::set_address) r[i.reg] = i.value;
    if (i.op == Opcode::add_address) r[i.reg] += i.value;
    if (i.op == Opcode::load) {
      addresses.push_back(i.dram.value + static_cast<std::uint64_t>(r[i.dram_reg]));
      addresses.push_back(i.dst.byte() + static_cast<std::uint64_t>(r[i.dst_reg]));
    }
    if (i.op != Opcode::loop) continue;
    const auto saved = r;
    for (std::uint32_t n = 0; n < i.count; ++n) {
      nest(words, w + 1, w + 1 + i.length, r, addresses);
      if (n + 1 == i.count) break;
      for (const isa::LoopStep& s : i.steps) {
        if (s.reg != 0) r[s.reg] += s.bytes;
      }
    }
    for (const isa::LoopStep& s : i.steps) r[s.reg] = saved[s.reg];
    w += i.length;
  }
}

std::uint8_t register_of(std::mt19937& random, std::uint8_t least) {
  return static_cast<std::uint8_t>(std::uniform_int_distribution<int>(least, 5)(random));
}

Instruction random_load(std::mt19937& random) {
  Instruction i;
  i.op = Opcode::load;
  i.dst = isa::LocalAddress::scratchpad(0x8000);
  i.dst_reg = register_of(random, 0);
  i.dram = DramAddress(0x80000);
  i.dram_reg = register_of(random, 0);
  i.rows = i.cols = 1;
  return i;
}

void random_body(std::mt19937& random, std::vector<isa::Word>& words, int depth) {
  const std::size_t begin = words.size();
  for (std::uint64_t n = 1 + random() % 5; n > 0; --n) {
    Instruction i = random_load(random);
    if (random() % 5 == 0) {
      i = {};
      i.op = random() % 2 == 0 ? Opcode::set_address : Opcode::add_address;
      i.reg = register_of(random, 1);
      i.value = static_cast<std::int64_t>(random() % 400) - 200;
    }
    words.push_back(isa::encode(i));
    if (depth == 4 || random() % 3 != 0) continue;
    Instruction loop;
    loop.op = Opcode::loop;
    loop.count = 1 + random() % 4;
    for (std::size_t s = 0, steps = random() % 5; s < steps; ++s) {
      loop.steps[s] = {register_of(random, 1), static_cast<std::int32_t>(random() % 60) - 30};
    }
    const std::size_t at = words.size();
    words.emplace_back();
    random_body(random, words, depth + 1);
    loop.length = static_cast<std::uint32_t>(words.size() - at - 1);
    words[at] = isa::encode(loop);
  }
  CHECK(words.size() > begin);
}

}  // namespace

TEST_CASE("nested loops step their registers and put them back; bodies may end on the same word") {
  const std::vector<Instruction> loads = run_text(
      "set_address r1=100\n"
      "loop count=2 until=end r1+=1000 r2+=1\n"
      "  loop count=3 until=end r1+=10\n"
      "    load dst=s:0+r2 dram=0+r1 rows=1 cols=1\n"
      "end:\n"
      "load dst=s:0+r2 dram=0+r1 rows=1 cols=1\nhalt");
  std::vector<std::uint64_t> from, to;
  for (const Instruction& i : loads) {
    from.push_back(i.dram.value);
    to.push_back(i.dst.byte());
  }
  CHECK(from == std::vector<std::uint64_t>{100, 110, 120, 1100, 1110, 1120, 100});
  CHECK(to == std::vector<std::uint64_t>{0, 0, 0, 1, 1, 1, 0});
}

TEST_CASE("random loop nests are those of the pseudo code, a word a cycle") {
  std::mt19937 random(8);
  for (int round = 0; round < 300; ++round) {
    std::vector<isa::Word> words;
    random_body(random, words, 0);
    Instruction halt;
    halt.op = Opcode::halt;
    words.push_back(isa::encode(halt));
    std::array<std::int64_t, 16> r{};
    std::vector<std::uint64_t> expected, found;
    nest(words, 0, words.size(), r, expected);
    Bench bench(words);
    bench.run();
    for (const Instruction& i : bench.taken.instructions) {
      found.push_back(i.dram.value);
      found.push_back(i.dst.byte());
    }
    INFO("round " << round);
    CHECK(found == expected);
    CHECK(bench.steps == bench.decode.instructions());
  }
}

TEST_CASE("registers begin at zero in every program") {
  Bench bench(isa::assemble("load dst=s:0 dram=8+r4 rows=1 cols=1\nadd_address r4=5\nhalt", "test").words);
  bench.run();
  bench.run();
  CHECK(bench.taken.instructions.at(1).dram.value == 8);
}

TEST_CASE("a word that another program has in the same place is decoded anew") {
  const auto load_of = [](int cols) {
    return isa::assemble(fmt::format("loop count=3 until=a r1+=16\n"
                                     "  load dst=s:0 dram=8+r1 rows=1 cols={}\n"
                                     "a:\nhalt",
                                     cols),
                         "test")
        .words;
  };
  Bench bench(load_of(4));
  bench.run();
  bench.words.program = load_of(5);
  bench.run();
  std::vector<std::uint64_t> found;
  for (const Instruction& i : bench.taken.instructions) found.push_back(i.dram.value * 100 + i.cols);
  CHECK(found == std::vector<std::uint64_t>{804, 2404, 4004, 805, 2405, 4005});
}

TEST_CASE("fetch is told to keep the largest loop around the word that fits") {
  const std::string text =
      "nop\n"
      "loop count=2 until=a\n"  // body of words 2 .. 6
      "  nop\n"
      "  loop count=2 until=a\n"  // body of words 4 .. 6
      "    nop\n    nop\n    nop\n"
      "a:\nhalt";
  const auto keeps = [&](std::uint32_t capacity) {
    Bench bench(isa::assemble(text, "test").words);
    bench.words.loop_capacity = capacity;
    bench.run();
    std::vector<std::uint32_t> kept;
    for (const auto& [pc, keep] : bench.words.moves) {
      if (pc == 5) kept.push_back(keep);
    }
    return kept.at(0);
  };
  CHECK(keeps(5) == 2);
  CHECK(keeps(4) == 4);
  CHECK(keeps(3) == 4);
  CHECK(keeps(2) == 5);  // none fits: nothing behind the word is needed
}

TEST_CASE("each operand's bytes are checked against its memory, to the byte") {
  struct Case {
    std::string fits, too_far, names;
  };
  const Case cases[] = {
      {"load dst=s:0xfffc dram=0 rows=1 cols=4", "load dst=s:0xfffd dram=0 rows=1 cols=4",
       "write bytes 65533 to 65537"},
      {"load dst=s:0 dst_stride=4 dram=0xffff8 dram_stride=4 rows=2 cols=4",
       "load dst=s:0 dst_stride=4 dram=0xffff8 dram_stride=5 rows=2 cols=4",
       "read bytes 1048568 to 1048577 of DRAM"},
      {"gather dst=s:0 dram=0 dram_stride=4 rows=2 cols=4 a=s:0xfff8 dst_stride=4 table_rows=9",
       "gather dst=s:0 dram=0 dram_stride=4 rows=2 cols=4 a=s:0xfff9 dst_stride=4 table_rows=9",
       "read bytes 65529 to 65537"},
      {"gather dst=s:0 dram=0xffff0 dram_stride=4 rows=1 cols=4 a=s:0 table_rows=4",
       "gather dst=s:0 dram=0xffff0 dram_stride=4 rows=1 cols=4 a=s:0 table_rows=5",
       "read bytes 1048560 to 1048580 of DRAM"},
      {"store a=a:0xff0 dram=0 rows=1 cols=4", "store a=a:0xff4 dram=0 rows=1 cols=4",
       "read bytes 4084 to 4100 of the accumulator memory"},
      {"store a=s:0 dram=0xffff0 rows=1 cols=4", "store a=s:0 dram=0xffff1 rows=1 cols=4", "write bytes"},
      {"preload a=s:0xffe0 a_format=f32 rows=8 cols=1", "preload a=s:0xffe0 a_format=f32 rows=9 cols=1",
       "65540"},
      {"preload a=s:0xffde a_format=q8_0 rows=32 cols=1", "preload a=s:0xffdf a_format=q8_0 rows=32 cols=1",
       "65537"},
      {"multiply a=s:0 a_format=f32 dst=a:0xffc rows=1 cols=1 depth=1 open close",
       "multiply a=s:0 a_format=f32 dst=a:0x1000 rows=1 cols=1 depth=1 open close",
       "write bytes 4096 to 4100"},
      {"add dst=s:0 a=s:0 b=s:0xfffc rows=1 cols=1", "add dst=s:0 a=s:0 b=s:0xfffd rows=1 cols=1",
       "read bytes 65533"},
      {"transpose dst=s:0xfff0 dst_stride=8 a=s:0 rows=2 cols=2 a_stride=8",
       "transpose dst=s:0xfff0 dst_stride=9 a=s:0 rows=2 cols=2 a_stride=8", "65537"},
  };
  for (const Case& c : cases) {
    INFO(c.too_far);
    CHECK(run_text("nop\n" + c.fits + "\nhalt").size() == 1);
    using Catch::Matchers::Contains;
    const std::string opcode = c.too_far.substr(0, c.too_far.find(' '));
    Bench bench(isa::assemble("nop\n" + c.too_far + "\nhalt", "test").words);
    CHECK_THROWS_WITH(bench.run(), Contains("word 1") && Contains(opcode) && Contains(c.names));
    Bench again(isa::assemble("nop\n" + c.too_far + "\nhalt", "test").words);
    CHECK_THROWS_AS(again.run(), SimulationError);
  }
}

TEST_CASE("a fifth loop level, a body that leaves the loop around it, and a missing halt stop the machine") {
  using Catch::Matchers::Contains;
  const auto error = [](std::vector<Instruction> instructions) {
    std::vector<isa::Word> words;
    for (const Instruction& i : instructions) words.push_back(isa::encode(i));
    Bench bench(words);
    try {
      bench.run();
    } catch (const SimulationError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const auto loop = [](std::uint32_t length) {
    Instruction i;
    i.op = Opcode::loop;
    i.count = 2;
    i.length = length;
    return i;
  };
  const Instruction nop;
  CHECK_THAT(error({loop(5), loop(4), loop(3), loop(2), loop(1), nop, nop}),
             Contains("word 4") && Contains("nested"));
  CHECK_THAT(error({loop(2), loop(2), nop, nop}), Contains("word 1") && Contains("beyond"));
  CHECK_THAT(error({nop, nop}), Contains("word 2") && Contains("halt"));
}

TEST_CASE("a core that waits continues in the cycle after another core's signal") {
  const auto words = [](const std::string& text) { return isa::assemble(text, "test").words; };
  for (const bool signaller_first : {true, false}) {
    Semaphores shared;
    Bench waits(words("wait semaphore=5\nhalt"), &shared),
        signals(words("nop\nnop\nnop\nsignal semaphore=5\nhalt"), &shared);
    for (Bench* b : {&waits, &signals}) b->decode.start(Cycle(1));
    std::uint64_t waited = 0, signalled = 0;
    for (Cycle now(2); !waits.decode.halted(); now += Cycle(1)) {
      REQUIRE(now.value < 20);
      for (Bench* b : {signaller_first ? &signals : &waits, signaller_first ? &waits : &signals}) {
        if (!b->decode.halted()) b->decode.edge(now);
      }
      if (signalled == 0 && signals.decode.pc() == 4) signalled = now.value;
      if (waited == 0 && waits.decode.pc() == 1) waited = now.value;
      if (waited == 0) CHECK(waits.decode.state() == observe::State::semaphore_wait);
    }
    CHECK(signalled == 5);
    CHECK(waited == 6);
  }
}
