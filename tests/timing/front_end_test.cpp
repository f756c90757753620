// SPDX-License-Identifier: Apache-2.0
// Fetch, decode, dispatch, writeback: in which cycle does an instruction reach each stage?
#include <fmt/format.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;

namespace {

std::string lines(int n, const std::string& line) {
  std::string text;
  for (int i = 0; i < n; ++i) text += line + "\n";
  return text;
}

// A vector addition of one beat: a and b in different banks of plain_machine().
constexpr const char* kAdd = "add dst=s:0x1000 a=s:0 b=s:32 rows=1 cols=8";

std::uint64_t latency_of_add(const config::Machine& m) {  // started to finished, without conflicts
  return m.scratchpad.read_latency_cycles + m.vector.cost(config::VectorFunction::add).latency_cycles + 1;
}

}  // namespace

TEST_CASE("words arrive with their bursts and are decoded one a cycle from the cycle after") {
  for (const std::uint32_t burst_bytes : {32u, 64u, 128u}) {
    config::Machine m = plain_machine();
    m.dram.burst_bytes = burst_bytes;
    const std::uint64_t per_burst = burst_bytes / 16, words = burst_bytes / 32;  // cycles, words
    const MachineRun run = run_text(m, lines(20, "nop") + "halt");
    CHECK(run.execution.start == Cycle(1));
    std::uint64_t decoded = 0;
    for (std::uint64_t w = 0; w <= 20; ++w) {
      INFO("burst of " << burst_bytes << " bytes, word " << w);
      // All are asked for from the first cycle on, and the bus carries one after the other.
      const std::uint64_t arrived = 1 + 50 + w / words * per_burst;
      decoded = std::max(decoded + 1, arrived + 1);
      CHECK(run.instruction(w).fetched.value == arrived);
      CHECK(run.instruction(w).decoded.value == decoded);
      CHECK(run.instruction(w).written_back.value == decoded);  // a nop is done where it is decoded
    }
    CHECK(run.execution.end.value == decoded + 1);
  }
}

TEST_CASE("with few requests in flight prefetch waits for each burst") {
  config::Machine m = plain_machine();
  m.fetch.requests_in_flight = 1;
  const MachineRun run = run_text(m, lines(7, "nop") + "halt");
  for (std::uint64_t w = 0; w < 8; ++w) CHECK(run.instruction(w).fetched.value == 1 + 50 * (w / 2 + 1));
}

TEST_CASE("an instruction passes one stage a cycle when nothing is in its way") {
  const config::Machine m = plain_machine();
  const MachineRun run = run_text(m, std::string(kAdd) + "\nhalt");
  const observe::InstructionRecord& add = run.instruction(0);
  CHECK(add.fetched.value == 1 + 50);
  CHECK(add.decoded == add.fetched + 1);
  CHECK(add.dispatched == add.decoded + 1);
  CHECK(add.started == add.dispatched + 1);
  CHECK(add.finished == add.started + latency_of_add(m));
  CHECK(add.written_back == add.finished + 1);
  // Halt is decoded behind it and leaves in the cycle in which the last instruction retires.
  const observe::InstructionRecord& halt = run.instruction(1);
  CHECK(halt.decoded == add.decoded + 1);
  CHECK(halt.written_back == add.written_back);
  CHECK(run.execution.end == halt.written_back + 1);
}

TEST_CASE("a dependent instruction leaves decode in the cycle in which its producer retires") {
  const config::Machine m = plain_machine();
  const MachineRun run = run_text(m,
                                  "load dst=s:0 dram=0 rows=1 cols=64\n"
                                  "add dst=s:0x1000 a=s:0 b=s:32 rows=1 cols=8\n"  // reads what is loaded
                                  "load dst=s:0 dram=0x400 rows=1 cols=64\n"       // overwrites what is read
                                  "load dst=s:0 dram=0x800 rows=1 cols=64\n"       // overwrites it again
                                  "store a=s:0x1000 dram=0 rows=1 cols=8\n"
                                  "store a=s:0x1000 dram=0x10 rows=1 cols=8\nhalt");
  using observe::State;
  const auto waits = [&](std::uint64_t n, std::uint64_t producer, State reason) {
    INFO("instruction " << n);
    CHECK(run.instruction(n).dispatched == run.instruction(producer).written_back + 1);
    CHECK(run.instruction(n).decoded == run.instruction(n - 1).dispatched);
    bool seen = false;
    for (const observe::Event& e : run.events) {
      seen |= e.kind == observe::EventKind::unit_state && e.unit == observe::UnitId::decode &&
              e.detail == static_cast<std::uint8_t>(reason) && e.cycle == run.instruction(n).decoded;
    }
    CHECK(seen);
  };
  waits(1, 0, State::read_after_write);
  waits(2, 1, State::write_after_read);
  waits(3, 2, State::write_after_write);
  // The first store has no hazard: its operand's producer retired long ago. The second overlaps its target.
  CHECK(run.instruction(4).dispatched == run.instruction(4).decoded + 1);
  waits(5, 4, State::write_after_write);
}

TEST_CASE("vector instructions on the same bytes queue up without waiting for retirement") {
  const config::Machine m = plain_machine();
  const MachineRun run = run_text(m, lines(4, kAdd) + "halt");
  for (std::uint64_t n = 1; n < 4; ++n) {
    CHECK(run.instruction(n).dispatched == run.instruction(n).decoded + 1);
    CHECK(run.instruction(n).started == run.instruction(n - 1).finished);  // the unit is free in that cycle
  }
}

TEST_CASE("decode waits for room in the unit's queue, and for a scoreboard entry") {
  config::Machine m = plain_machine();
  for (config::FunctionCost& c : m.vector.functions) c.latency_cycles = 40;
  const auto decode_cycles = [](const MachineRun& run, observe::State s) {
    return run.states[static_cast<std::size_t>(observe::UnitId::decode)][static_cast<std::size_t>(s)];
  };
  for (std::uint32_t limit = 1; limit <= 4; ++limit) {
    INFO("limit " << limit);
    config::Machine queue = m;
    queue.dispatch.queue_depth = limit;
    const MachineRun queued = run_text(queue, lines(8, kAdd) + "halt");
    config::Machine board = m;
    board.scoreboard.entries = limit;
    const MachineRun boarded = run_text(board, lines(8, kAdd) + "halt");
    for (std::uint64_t n = limit; n < 8; ++n) {
      // A queue entry is free when its instruction starts, a scoreboard entry when it retires.
      const Cycle ready = std::max(queued.instruction(n).decoded, queued.instruction(n - limit).started);
      CHECK(queued.instruction(n).dispatched == ready + 1);
      CHECK(boarded.instruction(n).dispatched == boarded.instruction(n - limit).written_back + 1);
    }
    CHECK(decode_cycles(queued, observe::State::queue_full) > 0);
    CHECK(decode_cycles(queued, observe::State::scoreboard_full) == 0);
    CHECK(decode_cycles(boarded, observe::State::scoreboard_full) > 0);
  }
}

TEST_CASE("a word is read once it is written, through the scratchpad's banks and with its latency") {
  config::Machine m = plain_machine();
  for (const std::uint32_t latency : {1u, 7u}) {
    m.scratchpad.read_latency_cycles = latency;
    const MachineRun run = run_text(m,
                                    ".data 0x400 u32 3\nload dst=s:0x100 dram=0x400 rows=1 cols=4\n"
                                    "read_address r1=0x1000 a=s:0x100 word_stride=256 extent=4\n"
                                    "copy dst=s:0x200+r1 a=s:0x100 rows=1 cols=1\n"
                                    "read_address r2=0 a=s:0x40 extent=4\nhalt");
    const observe::InstructionRecord &load = run.instruction(0), &read = run.instruction(1);
    CHECK(read.decoded == load.dispatched);
    CHECK(read.written_back == load.written_back + latency);  // asked for when the load retires
    CHECK(read.scratchpad_bytes == 4);
    CHECK(run.instruction(2).decoded == read.written_back + 1);
    // Nothing writes the second word: it is asked for when it is decoded. The copy begins later.
    CHECK(run.instruction(3).written_back == run.instruction(3).decoded + latency);
    const auto& decode = run.states[static_cast<std::size_t>(observe::UnitId::decode)];
    CHECK(decode[static_cast<std::size_t>(observe::State::word_wait)] == 2 * latency);
    CHECK(run.ports[static_cast<std::size_t>(memory::Port::decode)].accesses == 2);
    std::uint32_t copied = 0;
    std::memcpy(&copied, run.scratchpad.data() + 0x1200 + 3 * 256, sizeof copied);
    CHECK(copied == 3);
  }
}

TEST_CASE("a bank that another unit holds delays the word") {
  const config::Machine m = plain_machine();
  // Both vector operands and the word lie in one bank.
  const std::string add = "add dst=s:0x1000 a=s:0 b=s:0 b_stride=0 rows=40 cols=8\n";
  const auto read_cycles = [&](const std::string& address) {
    const MachineRun run =
        run_text(m, add + lines(4, "nop") + "read_address r1=0 a=s:" + address + " extent=1\nhalt");
    const observe::InstructionRecord& read = run.instruction(5);
    REQUIRE(read.written_back < run.instruction(0).finished);
    CHECK(run.ports[static_cast<std::size_t>(memory::Port::decode)].conflict_cycles ==
          read.written_back.value - read.decoded.value - m.scratchpad.read_latency_cycles);
    return read.written_back.value - read.decoded.value;
  };
  std::uint64_t least = ~0ull, most = 0;
  for (const char* const address : {"0x2000", "0x2020", "0x2040", "0x2060", "0x2080", "0x20a0"}) {
    least = std::min(least, read_cycles(address));
    most = std::max(most, read_cycles(address));
  }
  CHECK(least == m.scratchpad.read_latency_cycles);
  CHECK(most > least);
}

TEST_CASE("a loop of no iteration continues behind its body in the next cycle") {
  const MachineRun run = run_text(plain_machine(), std::string(kAdd) + "\nfence units=vector\n" +
                                                       "loop count=5 times=r3 length=2\nnop\nnop\nnop\nhalt");
  CHECK(run.instruction(3).pc == 5);
  CHECK(run.instruction(3).decoded == run.instruction(2).decoded + 1);
}

TEST_CASE("a fence waits for its units alone") {
  const config::Machine m = plain_machine();
  const std::string work = "load dst=s:0x2000 dram=0 rows=1 cols=64\n" + std::string(kAdd) + "\n";
  const MachineRun vector = run_text(m, work + "fence units=vector\nhalt");
  const MachineRun load = run_text(m, work + "fence units=load\nhalt");
  const MachineRun store = run_text(m, work + "fence units=store,matrix\nhalt");
  REQUIRE(vector.instruction(1).written_back < vector.instruction(0).written_back);
  CHECK(vector.instruction(2).written_back == vector.instruction(1).written_back);
  CHECK(load.instruction(2).written_back == load.instruction(0).written_back);
  CHECK(store.instruction(2).written_back == store.instruction(2).decoded);
}

TEST_CASE("of two instructions that finish together the older retires first when there is one port") {
  config::Machine m = plain_machine();
  // Read latency + 8 shifts for the tile; the scaling starts a cycle later and meets it nowhere on its way.
  const std::uint64_t preload = m.scratchpad.read_latency_cycles + m.matrix.rows;
  const std::uint64_t around = m.scratchpad.read_latency_cycles + 1;
  auto& scale = m.vector.functions[static_cast<std::size_t>(config::VectorFunction::mul)];
  scale.latency_cycles = static_cast<std::uint32_t>(preload - 1 - around);
  const std::string text =
      "preload a=s:0x2000 a_stride=32 a_format=f32 order=kn rows=8 cols=8\n"
      "scale dst=s:0 a=a:0 rows=1 cols=8 scalar=2\nhalt";
  const MachineRun one = run_text(m, text);
  REQUIRE(one.instruction(0).finished == one.instruction(1).finished);
  CHECK(one.instruction(0).written_back == one.instruction(0).finished + 1);
  CHECK(one.instruction(1).written_back == one.instruction(0).finished + 2);
  m.writeback.ports = 2;
  const MachineRun two = run_text(m, text);
  CHECK(two.instruction(1).written_back == two.instruction(0).written_back);
  CHECK(two.cycles() + 1 == one.cycles());
}

TEST_CASE("a loop that fits the buffer is read once, one that does not is read in every iteration") {
  config::Machine m = plain_machine();  // bursts of two words
  m.fetch.buffer_words = 16;
  // The buffer less two bursts, since a loop may begin and end within one.
  constexpr int kLargest = 16 - 2 * 2, kCount = 5;
  for (const int length : {1, 7, kLargest, kLargest + 1, 20}) {
    INFO("body of " << length << " words");
    const MachineRun run = run_text(m, fmt::format("loop count={} length={}\n", kCount, length) +
                                           lines(length, "nop") + lines(3, "nop") + "halt");
    const auto& fetched = run.traffic[static_cast<std::size_t>(memory::Requester::fetch)];
    const std::uint64_t words = 1 + static_cast<std::uint64_t>(length) + 4;
    if (length <= kLargest) {
      CHECK(fetched.used_bytes == words * 32);
      // Iterations follow each other at a word a cycle.
      const std::uint64_t last = static_cast<std::uint64_t>(length * kCount);
      CHECK(run.instruction(last).decoded == run.instruction(last - 1).decoded + 1);
    } else {
      CHECK(fetched.used_bytes >= (words + static_cast<std::uint64_t>(length) * (kCount - 1)) * 32);
    }
  }
}

TEST_CASE("two machines in one process do not know of each other") {
  const config::Machine m = plain_machine();
  const isa::Program p = isa::assemble(lines(3, kAdd) + "halt", "test");
  machine::Accelerator first(m, machine::Clocking::gated), second(m, machine::Clocking::every_edge);
  for (machine::Accelerator* a : {&first, &second})
    a->dram().write(kWordsAt, std::as_bytes(std::span(p.words)));
  const auto words = static_cast<std::uint32_t>(p.words.size());
  const machine::Execution f1 = first.execute(kWordsAt, words), s1 = second.execute(kWordsAt, words);
  const machine::Execution f2 = first.execute(kWordsAt, words), s2 = second.execute(kWordsAt, words);
  CHECK(f1.start == Cycle(1));
  CHECK(f1.end == s1.end);
  CHECK(f2.start == f1.end);  // time continues in each
  CHECK(f2.end == s2.end);
  CHECK(f2.end - f2.start == f1.end - f1.start);
}
