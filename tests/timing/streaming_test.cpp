// SPDX-License-Identifier: Apache-2.0
// Wide memory: does a machine reach what its memory delivers, and does the stack say what stops it?
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "support/command_memory.h"
#include "timing/machine_run.h"
#include "timing/random_machine.h"

using namespace tokencycle;
using namespace tokencycle::timing;

namespace {

constexpr int kBlocks = 24;  // of an eighth of the scratchpad

// Loads that follow each other through DRAM, or stores.
std::string stream_text(const config::Machine& m, bool store) {
  const std::uint32_t block = m.scratchpad.capacity_bytes / 8, cols = std::min(block, 1024u);
  std::string text;
  for (int i = 0; i < kBlocks; ++i) {
    const std::uint64_t dram = 0x100000 + static_cast<std::uint64_t>(i) * block,
                        local = static_cast<std::uint64_t>(i % 8) * block;
    text += store ? fmt::format(
                        "store a=s:{} a_stride={} dram={} dram_stride={} rows={} cols={} a_format=f32 "
                        "dst_format=f32\n",
                        local, cols, dram, cols, block / cols, cols / 4)
                  : fmt::format("load dst=s:{} dst_stride={} dram={} dram_stride={} rows={} cols={}\n", local,
                                cols, dram, cols, block / cols, cols);
  }
  return text + "halt";
}

// Bytes a cycle from the first start to the last end.
double stream(const config::Machine& m, const MachineRun& run) {
  const double bytes = static_cast<double>(kBlocks) * (m.scratchpad.capacity_bytes / 8);
  return bytes /
         static_cast<double>(run.instruction(kBlocks - 1).finished.value - run.instruction(0).started.value);
}

double share(const MachineRun& run, observe::Cause cause) {
  return static_cast<double>(run.stack[static_cast<std::size_t>(cause)]) / static_cast<double>(run.cycles());
}

MachineRun run_quietly(const config::Machine& m, const std::string& text) {
  return run_on(m, isa::assemble(text, "test"), {});
}

}  // namespace

TEST_CASE(
    "every bundled machine streams at 90 % of its memory's peak, or its description names the key that stops "
    "it") {
  int machines = 0;
  for (const auto& file : std::filesystem::directory_iterator(test::kConfigs)) {
    if (file.path().extension() != ".json") continue;
    const config::Machine m = config::read_machine(file.path());
    const double peak = m.peak_dram_gb_per_s() / m.clock_ghz;  // bytes a cycle
    const MachineRun run = run_quietly(m, stream_text(m, false));
    const double reached = stream(m, run);
    INFO(m.name << ": " << reached << " of " << peak << " bytes a cycle");
    ++machines;
    if (reached >= 0.9 * peak) {
      CHECK(share(run, observe::Cause::dram_bandwidth) > 0.5);
      continue;
    }
    CHECK(m.description.find("/dma/port_bytes") != std::string::npos);
    CHECK(reached >= 0.9 * m.dma.port_bytes);
  }
  CHECK(machines >= 8);
}

TEST_CASE("an engine that takes one burst a cycle is what limits behind wide memory, and the stack says so") {
  config::Machine m = config::read_machine(test::kConfigs / "cloud.json");
  double before = 0;
  for (const std::uint32_t bursts : {1u, 2u, 4u}) {
    m.dma.bursts_per_cycle = bursts;
    const MachineRun run = run_quietly(m, stream_text(m, false));
    const double reached = stream(m, run);
    INFO(bursts << " bursts a cycle: " << reached << " bytes a cycle");
    CHECK(reached <= bursts * m.dram.burst_bytes);
    CHECK(reached >= 0.97 * bursts * m.dram.burst_bytes);
    CHECK(reached > before);
    CHECK(share(run, observe::Cause::dma_bandwidth) > 0.9);
    before = reached;
  }
}

TEST_CASE("a port takes several bursts a cycle, no more bytes than its width, and a bank only once") {
  config::Machine m = plain_machine();
  m.dram = {8,      1u << 20, 64.0, 50.0, 32, 64, config::DramModel::ideal,
            nullptr};  // eight bursts of 32 a cycle
  m.scratchpad = {16 * 1024, 32, 8, 1, true};
  struct Case {
    std::uint32_t bursts, port, stride;  // stride: of rows of 32 bytes in the scratchpad
    std::uint64_t cycles;                // for eight bursts that arrive together
  };
  // Banks of 8 bytes: rows of 32 bytes at a stride of 256 are all in the same four banks.
  for (const Case& c : {Case{1, 256, 32, 8}, Case{2, 256, 32, 4}, Case{4, 256, 32, 2}, Case{8, 256, 32, 1},
                        Case{8, 128, 32, 2}, Case{8, 96, 32, 3}, Case{8, 16, 32, 16}, Case{8, 256, 256, 8},
                        Case{8, 256, 128, 4}}) {
    m.dma.bursts_per_cycle = c.bursts;
    m.dma.port_bytes = c.port;
    INFO(c.bursts << " bursts, port of " << c.port << ", stride " << c.stride);
    const MachineRun run = run_text(
        m, fmt::format("load dst=s:0 dst_stride={} dram=0 dram_stride=32 rows=8 cols=32\nhalt", c.stride));
    const observe::InstructionRecord& load = run.instruction(0);
    CHECK(load.finished == load.started + (50 + c.cycles));
  }
}

TEST_CASE(
    "an engine of several bursts a cycle reads ahead: stores and gathers hide the scratchpad's latency") {
  config::Machine m = plain_machine();
  m.dram = {4,      1u << 20, 64.0, 50.0, 64, 256, config::DramModel::ideal,
            nullptr};  // four bursts of 64 a cycle
  m.scratchpad = {16 * 1024, 32, 8, 6, true};
  m.dma = {256, 256, 256, 4};
  constexpr std::uint64_t kBursts = 64;
  const MachineRun stored =
      run_text(m, "store a=s:0 dram=0 rows=1 cols=1024 a_format=f32 dst_format=f32\nhalt");
  const observe::InstructionRecord& store = stored.instruction(0);
  CHECK(store.started == store.dispatched + (1 + 6));
  CHECK(store.finished == store.started + (kBursts / 4 - 1 + 50));

  // Four indices a cycle, each in a bank of its own but for two that share one.
  const MachineRun gathered = run_text(
      m, "gather dst=s:0x1000 dst_stride=64 dram=0 dram_stride=64 rows=64 cols=64 a=s:0 table_rows=1\nhalt");
  const observe::InstructionRecord& gather = gathered.instruction(0);
  CHECK(gather.started == gather.dispatched + (1 + 6));
  CHECK(gather.finished <= gather.started + (kBursts + 50 + 8));
}

TEST_CASE("local addresses reach beyond 64 MiB") {
  config::Machine m = plain_machine();
  m.scratchpad.capacity_bytes = 128u << 20;
  isa::Program program = isa::assemble(
      "load dst=s:0x7ffffc0 dram=0 rows=1 cols=64\n"
      "store a=s:0x7ffffc0 dram=64 rows=1 cols=16 a_format=f32 dst_format=f32\nhalt",
      "test");
  std::vector<std::byte> bytes(64);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i + 1);
  program.data.push_back({DramAddress(0), bytes});
  const MachineRun run = run_on(m, program, {machine::Clocking::gated, 128, false});
  CHECK(std::equal(bytes.begin(), bytes.end(), run.dram.begin() + 64));
}
