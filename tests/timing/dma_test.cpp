// SPDX-License-Identifier: Apache-2.0
// The DMA engines: when is the first burst asked for, when is the last byte in place?
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;

namespace {

constexpr std::uint64_t kLatency = 50, kPerBurst = 4;  // cycles, of plain_machine()'s memory

const memory::TrafficCounters& traffic(const MachineRun& run, memory::Requester r) {
  return run.traffic[static_cast<std::size_t>(r)];
}

}  // namespace

TEST_CASE("a load takes the latency, a turn of the bus for each further burst, and the scratchpad's write") {
  const config::Machine m = plain_machine();
  for (const std::uint64_t bursts : {1u, 2u, 7u, 32u}) {
    INFO(bursts << " bursts");
    const MachineRun run = run_text(m, fmt::format("load dst=s:0 dram=0 rows=1 cols={}\nhalt", bursts * 64));
    const observe::InstructionRecord& load = run.instruction(0);
    CHECK(load.started == load.dispatched + 1);
    CHECK(load.finished == load.started + (kLatency + (bursts - 1) * kPerBurst + 1));
    CHECK(traffic(run, memory::Requester::load).bursts == bursts);
  }
}

TEST_CASE("a narrow scratchpad port needs several cycles for a burst") {
  config::Machine m = plain_machine();
  for (const std::uint32_t port : {4u, 8u, 12u, 16u, 32u}) {
    m.dma.port_bytes = port;
    INFO("port of " << port << " bytes");
    const MachineRun run = run_text(m, "load dst=s:0 dram=0 rows=1 cols=256\nhalt");
    const observe::InstructionRecord& load = run.instruction(0);
    // Four bursts arrive every four cycles; the port writes one after the other.
    std::uint64_t free = 0;
    for (std::uint64_t b = 0; b < 4; ++b)
      free = std::max(free, kLatency + b * kPerBurst) + ceil_div(64, port);
    CHECK(load.finished == load.started + free);
  }
}

TEST_CASE("rows that follow each other in DRAM are one row, others take bursts of their own") {
  const config::Machine m = plain_machine();
  struct Case {
    int rows, cols, stride, at;
    std::uint64_t bursts;
  };
  for (const Case& c :
       {Case{8, 16, 16, 0, 2}, Case{8, 16, 64, 0, 8}, Case{8, 16, 0, 0, 8}, Case{4, 64, 100, 0, 7},
        Case{1, 64, 0, 32, 2}, Case{2, 65, 65, 63, 4}, Case{1, 1, 0, 5, 1}}) {
    INFO(c.rows << " x " << c.cols << " bytes, stride " << c.stride << ", at " << c.at);
    const MachineRun run =
        run_text(m, fmt::format("load dst=s:0 dst_stride={} dram={} dram_stride={} rows={} cols={}\nhalt",
                                c.cols, c.at, c.stride, c.rows, c.cols));
    CHECK(traffic(run, memory::Requester::load).bursts == c.bursts);
    CHECK(traffic(run, memory::Requester::load).used_bytes == static_cast<std::uint64_t>(c.rows * c.cols));
    CHECK(traffic(run, memory::Requester::load).moved_bytes == c.bursts * 64);
  }
}

TEST_CASE("bursts in flight are bounded: a burst is asked for when an earlier one is in place") {
  config::Machine m = plain_machine();
  for (const std::uint32_t limit : {1u, 2u, 3u}) {
    m.dma.load_bursts_in_flight = limit;
    INFO("limit " << limit);
    const MachineRun run = run_text(m, "load dst=s:0 dram=0 rows=1 cols=640\nhalt");
    std::vector<std::uint64_t> issued;
    for (const observe::Event& e : run.events) {
      if (e.kind == observe::EventKind::burst_issued && e.detail == 2 * 2) issued.push_back(e.cycle.value);
    }
    REQUIRE(issued.size() == 10);
    for (std::uint64_t b = 0; b < 10; ++b) {
      // In groups of `limit`, a cycle or a turn of the bus apart; in place one cycle after they arrive.
      const std::uint64_t group = b / limit, within = b % limit;
      const std::uint64_t first_group = issued[0] + within;
      const std::uint64_t later = issued[0] + (kLatency + 1) * group + within * kPerBurst;
      CHECK(issued[b] == (group == 0 ? first_group : later));
    }
  }
}

TEST_CASE("loads follow each other without a gap") {
  const config::Machine m = plain_machine();
  const MachineRun run = run_text(m,
                                  "load dst=s:0 dram=0 rows=1 cols=640\n"
                                  "load dst=s:0x1000 dram=0x1000 rows=1 cols=640\nhalt");
  const observe::InstructionRecord &first = run.instruction(0), &second = run.instruction(1);
  CHECK(second.started == first.started + 10);  // one burst a cycle is accepted
  CHECK(second.finished == first.finished + 10 * kPerBurst);
}

TEST_CASE("an instruction starts after the cycle of its dispatch, also behind another transfer") {
  // The first load's only burst is issued in the cycle in which the second load reaches the engine.
  config::Machine m = plain_machine();
  m.dram.channels = 2;
  const MachineRun run = run_text(m,
                                  "load dst=s:0 dram=0 rows=1 cols=64\n"
                                  "load dst=s:0x1000 dram=64 rows=1 cols=64\nhalt");
  REQUIRE(run.instruction(0).started == run.instruction(1).dispatched);
  CHECK(run.instruction(1).started > run.instruction(1).dispatched);
}

TEST_CASE(
    "a store reads a burst's bytes before it asks for the burst, and ends when the last is acknowledged") {
  config::Machine m = plain_machine();
  for (const std::uint32_t latency : {1u, 3u, 6u}) {
    m.scratchpad.read_latency_cycles = latency;
    for (const std::uint64_t bursts : {1u, 2u, 9u}) {
      INFO("read latency " << latency << ", " << bursts << " bursts");
      const std::string text =
          fmt::format("store a={{}} dram=0 rows=1 cols={} a_format=f32 dst_format=f32\nhalt", bursts * 16);
      const MachineRun run = run_text(m, fmt::format(fmt::runtime(text), "s:0"));
      const observe::InstructionRecord& store = run.instruction(0);
      CHECK(store.started == store.dispatched + (1 + latency));
      // The next burst's read begins when the one before is issued.
      const std::uint64_t per_burst = std::max<std::uint64_t>(kPerBurst, latency);
      CHECK(store.finished == store.started + ((bursts - 1) * per_burst + kLatency));
      // The accumulator memory has no read latency of its own.
      const MachineRun sums = run_text(m, fmt::format(fmt::runtime(text), "a:0"));
      CHECK(sums.instruction(0).started == sums.instruction(0).dispatched + 1);
    }
  }
}

TEST_CASE("a gathered row waits for its index, which is read when the row before has been asked for") {
  config::Machine m = plain_machine();
  for (const std::uint32_t latency : {1u, 4u, 9u}) {
    m.scratchpad.read_latency_cycles = latency;
    INFO("read latency " << latency);
    const MachineRun run = run_text(
        m, "gather dst=s:0x1000 dst_stride=64 dram=0 dram_stride=64 rows=6 cols=64 a=s:0 table_rows=1\nhalt");
    const observe::InstructionRecord& gather = run.instruction(0);
    CHECK(gather.started == gather.dispatched + (1 + latency));
    const std::uint64_t per_row = std::max<std::uint64_t>(kPerBurst, latency);
    CHECK(gather.finished == gather.started + (5 * per_row + kLatency + 1));
  }
}

TEST_CASE("a gather does not wait for a store elsewhere in DRAM, but for one into its table") {
  // The store is long; what follows it gathers one of 16 rows of 64 bytes.
  const auto overlaps = [](int store_to) {
    const MachineRun run = run_text(
        plain_machine(), fmt::format("store a=s:0 dram={} rows=1 cols=1024\ngather dst=s:0x2000 dram=0x8000 "
                                     "dram_stride=64 table_rows=16 rows=1 cols=64 a=s:0x1000\nhalt",
                                     store_to));
    return run.instruction(1).started < run.instruction(0).finished;
  };
  CHECK(overlaps(0x1000));
  CHECK(overlaps(0x8400));        // just behind the table
  CHECK_FALSE(overlaps(0x83fc));  // into its last row
}

TEST_CASE("a store narrows to 16 bits: half the bytes on the bus, whole elements across a burst's border") {
  const config::Machine m = plain_machine();
  for (const int at : {0, 1, 33, 63}) {
    const MachineRun run =
        run_text(m, fmt::format("store a=s:0 dram={} rows=1 cols=64 a_format=f32 dst_format=f16\nhalt", at));
    const memory::TrafficCounters& t = traffic(run, memory::Requester::store);
    CHECK(t.used_bytes == 128);
    CHECK(t.bursts == (at == 0 ? 2 : 3));
    // A cut element is read for both bursts.
    const std::uint64_t cut = at % 2 == 0 ? 0 : 2;
    CHECK(run.ports[static_cast<std::size_t>(memory::Port::store)].bytes == 256 + 4 * cut);
  }
}
