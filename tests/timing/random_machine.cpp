// SPDX-License-Identifier: Apache-2.0
#include "timing/random_machine.h"

#include <algorithm>

#include "support/random_memory.h"

namespace tokencycle::timing {

namespace {

std::uint32_t power_of_two(Random& random, std::uint32_t least_log, std::uint32_t most_log) {
  return 1u << number(random, least_log, most_log);
}

void make_matrix(Random& random, config::Machine& m, std::uint32_t widest_port) {
  config::Matrix& x = m.matrix;
  static constexpr std::uint32_t kShapes[][2] = {{1, 1},  {3, 5},   {8, 8},   {5, 3},
                                                 {16, 4}, {32, 32}, {40, 33}, {2, 40}};
  x.dataflow = static_cast<config::Dataflow>(number(random, 0, config::kDataflows - 1));
  const auto& shape = kShapes[number(random, 0, std::size(kShapes) - 1)];
  x.rows = shape[0];
  x.columns = shape[1];
  x.double_buffered = !one_in(random, 3);
  x.back_to_back = !one_in(random, 3);
  x.stationary_port_bytes = number(random, 4, widest_port);
  x.moving_port_bytes = number(random, 4, widest_port);
  x.scale_latency_cycles = number(random, 0, 3);
  x.group_buffer_rows = x.rows < kPlainGroup ? number(random, 1, 16) : number(random, 0, 8);
  for (std::uint32_t& c : x.cycles_per_row) c = one_in(random, 5) ? 0 : number(random, 1, 4);
  x.cycles_per_row[number(random, 0, kMultiplyTypes - 1)] = 1;
  // Of its own numbers: the programs behind a seed are what they were.
  Random decode(x.rows * x.stationary_port_bytes + x.moving_port_bytes);
  if (!one_in(decode, 3)) return;
  for (std::size_t d = 1; d < x.decode.size(); ++d)
    x.decode[d] = {number(decode, 0, 12), number(decode, 0, 4)};
}

void make_ideal_memory(Random& random, config::Dram& dram) {
  dram.burst_bytes = power_of_two(random, 5, 8);
  dram.channels = number(random, 1, 6);
  dram.capacity_bytes = 1u << 20;
  dram.channel_gb_per_s = number(random, 1, 4) == 1 ? 0.7 : number(random, 3, 80);
  dram.latency_ns = number(random, 0, 60);
  dram.requests_in_flight = number(random, 1, 24);
}

void make_command_memory(Random& random, config::Machine& m) {
  static const std::vector<std::string> presets = test::dram_presets();
  const std::string& preset = presets[number(random, 0, static_cast<std::uint32_t>(presets.size()) - 1)];
  const test::RandomMemory memory = test::random_memory(random, preset, 4);
  m.clock_ghz = number(random, 2, 20) / 10.0;
  const std::uint32_t latency_ns = number(random, 0, 30);
  m.dram = test::command_memory(memory.system, memory.request_bytes, latency_ns, number(random, 1, 24));
}

}  // namespace

config::Machine random_machine(Random& random) {
  config::Machine m;
  m.name = "random";
  m.clock_ghz = 1.0;
  if (one_in(random, 3)) {
    make_command_memory(random, m);
  } else {
    make_ideal_memory(random, m.dram);
  }
  m.fetch.buffer_words = std::max(4u, 2 * m.dram.burst_bytes / 32) + number(random, 0, 24);
  m.fetch.requests_in_flight = number(random, 1, 4);
  m.scoreboard.entries = number(random, 1, 12);
  m.dispatch.queue_depth = number(random, 1, 5);
  m.scratchpad.banks = power_of_two(random, 0, 4);
  m.scratchpad.bank_bytes = power_of_two(random, 3, 5);
  m.scratchpad.capacity_bytes = 8 * 1024;
  m.scratchpad.read_latency_cycles = number(random, 1, 5);
  m.scratchpad.separate_write_port = one_in(random, 2);
  m.accumulator.capacity_bytes = 4 * 1024;
  const std::uint32_t width = m.scratchpad.banks * m.scratchpad.bank_bytes;
  m.dma = {number(random, 1, 8), number(random, 1, 8), number(random, 4, width),
           one_in(random, 2) ? 1 : number(random, 1, m.scratchpad.banks)};
  make_matrix(random, m, width);
  m.vector.lanes = 1;
  while (m.vector.lanes < 8 && m.vector.lanes * 2 * 4 <= width && !one_in(random, 4)) m.vector.lanes *= 2;
  for (config::FunctionCost& c : m.vector.functions) c = {number(random, 1, 3), number(random, 1, 9)};
  m.writeback.ports = number(random, 1, 2);
  m.watchdog_cycles = 100'000;
  return config::parse_machine(config::to_json(m), "random machine", test::kConfigs);
}

config::Machine with_several_units(Random& random, config::Machine machine) {
  if (!one_in(random, 3)) return machine;
  machine.dma.engines = number(random, 1, 3);
  machine.matrix.units = number(random, 1, 3);
  if (machine.matrix.rows >= 32 && machine.matrix.units > 1) machine.matrix.group_buffer_rows = 0;
  machine.vector.units = number(random, 1, 3);
  return machine;
}

config::Machine plain_machine() {
  config::Machine m;
  m.name = "plain";
  m.matrix = {config::Dataflow::weight_stationary, 8, 8, true, true, 64, 64, 0, 64, {1, 1, 1, 1, 1}, {}, {}};
  m.vector.lanes = 8;
  for (std::size_t f = 0; f < m.vector.functions.size(); ++f) {
    m.vector.functions[f] = {1, 3 + static_cast<std::uint32_t>(f)};
  }
  m.scratchpad = {16 * 1024, 16, 4, 1, true};
  m.accumulator.capacity_bytes = 4 * 1024;
  m.dram = {1, 1u << 20, 16.0, 50.0, 64, 64, config::DramModel::ideal, nullptr};
  m.fetch = {64, 64};
  m.watchdog_cycles = 100'000;
  return config::parse_machine(config::to_json(m), "plain machine");
}

}  // namespace tokencycle::timing
