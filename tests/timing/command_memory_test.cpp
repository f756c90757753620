// SPDX-License-Identifier: Apache-2.0
// Devices command by command under the machine: does a transfer take their clocks, and do the DMA engines
// say what memory waits for?
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "support/command_memory.h"
#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;
using observe::State;

namespace {

constexpr std::uint64_t kWayNs = 20;  // to the controllers and back; a cycle is a nanosecond

config::Machine machine_with(std::uint32_t channels) {
  config::Machine m = plain_machine();
  m.dram = test::command_memory(test::preset_system("ddr4-2400", channels, 64), 64, kWayNs, 64);
  return config::parse_machine(config::to_json(m), "plain machine with DDR4", test::kConfigs);
}

std::uint64_t issued(const MachineRun& run, memory::Requester requester) {
  const auto found = std::find_if(run.events.begin(), run.events.end(), [&](const observe::Event& e) {
    return e.kind == observe::EventKind::burst_issued && e.detail / 2 == static_cast<int>(requester);
  });
  REQUIRE(found != run.events.end());
  return found->cycle.value;
}

}  // namespace

TEST_CASE("a load takes the way to the device and back, its clocks, and the scratchpad's write") {
  const config::Machine m = machine_with(1);
  const config::DramDevice& d = m.dram.system->device;
  const auto clocks = [&d](const char* name) { return std::uint64_t{d.clocks.at(name)}; };
  const std::uint64_t closed = clocks("nRCD") + clocks("nCL") + clocks("nBL");
  struct Case {
    const char* what;
    std::uint64_t address, clocks;
  };
  // The words of the program lie in bank 0 of the first bank group, row 2.
  for (const Case& c : {Case{"a closed bank", 0x8000, closed}, Case{"another row", 0, closed + clocks("nRP")},
                        Case{"the open row", kWordsAt.value + 0x100, closed - clocks("nRCD")}}) {
    INFO(c.what);
    const MachineRun run = run_text(m, fmt::format("load dst=s:0 dram={} rows=1 cols=64\nhalt", c.address));
    const std::uint64_t at = issued(run, memory::Requester::load);
    const std::uint64_t seen = ceil_div((at + 1) * 1000, d.tck_ps);  // the clock after the cycle
    const std::uint64_t arrived = ceil_div((seen + c.clocks) * d.tck_ps, 1000) + kWayNs;
    CHECK(run.instruction(0).started.value == at);
    CHECK(run.instruction(0).finished.value == arrived + 1);
  }
}

TEST_CASE("a store is over when the controller has its last burst and the answer is back") {
  const config::Machine m = machine_with(1);
  const config::DramDevice& d = m.dram.system->device;
  const MachineRun run =
      run_text(m, "store a=s:0 dram=0x8000 rows=1 cols=16 a_format=f32 dst_format=f32\nhalt");
  const std::uint64_t at = issued(run, memory::Requester::store);
  const std::uint64_t seen = ceil_div((at + 1) * 1000, d.tck_ps);
  CHECK(run.instruction(0).finished.value == ceil_div(seen * d.tck_ps, 1000) + kWayNs);
}

TEST_CASE(
    "a DMA engine with transfers is in memory's state in every cycle, or waits for bursts on their way") {
  const std::uint32_t channels = GENERATE(1, 2, 4);
  // Rows of one bank in turn, then a stream, loads and stores of the same banks, and a rest.
  const MachineRun run =
      run_text(machine_with(channels),
               "load dst=s:0 dst_stride=64 dram=0 dram_stride=0x20000 rows=12 cols=64\n"
               "load dst=s:0x1000 dram=0x8000 rows=1 cols=4096\n"
               "store a=s:0x2000 a_stride=64 dram=0x100000 dram_stride=0x20000 rows=9 cols=16 "
               "a_format=f32 dst_format=f32\n"
               "load dst=s:0x3000 dst_stride=64 dram=0x9000 dram_stride=0x8000 rows=9 cols=64\n"
               "load dst=s:0x1000 dram=0x8040 rows=1 cols=64\nhalt");
  std::map<observe::UnitId, State> now;
  for (std::uint32_t c = 0; c < channels; ++c) now[observe::channel_id(c)] = State::idle;
  std::map<State, std::uint64_t> met;
  std::uint64_t wrong = 0;
  Cycle last;
  const auto settle = [&](Cycle until) {
    if (until == last) return;
    const State memory =
        *std::find_if(observe::kDataStates.begin(), observe::kDataStates.end(), [&](State s) {
          return std::any_of(now.begin(), now.end(), [s](const auto& unit) {
            return static_cast<std::uint8_t>(unit.first) >= observe::kFirstChannel && unit.second == s;
          });
        });
    for (const observe::UnitId dma : {observe::UnitId::load, observe::UnitId::store}) {
      if (now[dma] == State::idle || now[dma] == State::halted) continue;
      wrong += now[dma] != (memory == State::idle ? State::dram_latency : memory);
      met[now[dma]] += until.value - last.value;
    }
    last = until;
  };
  for (const observe::Event& e : run.events) {
    settle(e.cycle);
    if (e.kind == observe::EventKind::unit_state) now[e.unit] = static_cast<State>(e.detail);
  }
  CHECK(wrong == 0);
  for (const State s : {State::busy, State::row_conflict, State::bank_busy, State::dram_latency}) {
    INFO(observe::name_of(s));
    CHECK(met[s] > 0);
  }
}
