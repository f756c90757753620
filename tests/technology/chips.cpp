// SPDX-License-Identifier: Apache-2.0
// Published chips beside the model: areas of blocks and power, from the published sizes alone; nothing of the
// technologies was chosen for them. Run with -s to read the table. Areas are of cells, registers and memories
// alone, so blocks on a die are larger by clock tree, wires, redundancy and empty places.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cmath>

#include "config/technology/prices.h"

namespace tokencycle {
namespace {

using namespace config;

Technology node(const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(TOKENCYCLE_SOURCE_DIR) / "configs/technology";
  return read_technology(folder / (name + ".json"), folder);
}

Machine chip(std::uint32_t units, std::uint32_t side, MultiplyType type, double clock_ghz) {
  Machine m;
  m.clock_ghz = clock_ghz;
  m.matrix.units = units;
  m.matrix.rows = m.matrix.columns = side;
  m.matrix.cycles_per_row[static_cast<std::size_t>(type)] = 1;
  m.vector.lanes = 1;
  return m;
}

// Jouppi et al., ISCA 2017: 28 nm, 700 MHz, at most 331 mm2, of it 29 % unified buffer (24 MiB), 24 % matrix
// unit (256 x 256 multipliers of 8 bits, weights double-buffered), 6 % accumulators (4 MiB), 2 % control;
// 40 W under load.
Machine tpu_v1() {
  Machine m = chip(1, 256, MultiplyType::int8, 0.7);
  m.scratchpad.capacity_bytes = 24 << 20;
  m.scratchpad.banks = 1;
  m.scratchpad.bank_bytes = 256;
  m.accumulator.capacity_bytes = 4 << 20;
  return m;
}

// Jouppi et al., ISCA 2021: 7 nm, 1.05 GHz, below 400 mm2, of it 28 % common memory (128 MiB) and 11 % four
// matrix units (128 x 128, bf16); 175 W thermal design power.
Machine tpu_v4i() {
  Machine m = chip(4, 128, MultiplyType::bf16, 1.05);
  m.scratchpad.capacity_bytes = 128u << 20;
  m.scratchpad.banks = 64;
  m.scratchpad.bank_bytes = 64;
  m.accumulator.capacity_bytes = 64 << 10;
  return m;
}

// Chen, Krishna, Emer and Sze, JSSC 52(1), 2017 (and ISSCC 2016): 65 nm, 1 V, 200 MHz, 12 x 14 elements of 16
// bits, 181.5 KB of SRAM, a core of 3.5 x 3.5 mm; 278 mW at 34.7 frames a second of AlexNet's convolutions,
// 666 million multiply-accumulates each. Two fifths of that memory lie in the elements, which read and write
// it for each product; the machine has one memory at the array's edge, and the technologies no multiplier of
// 16-bit whole numbers: fp16's stands for it.
Machine eyeriss() {
  Machine m = chip(1, 14, MultiplyType::fp16, 0.2);
  m.matrix.rows = 12;
  m.scratchpad.capacity_bytes = 185856;
  m.scratchpad.banks = 1;
  m.scratchpad.bank_bytes = 32;
  m.accumulator.capacity_bytes = 1024;
  return m;
}

struct Row {
  const char* what;
  double published;
  Range model;
  double error_percent;  // of typical, as recorded
};

// W of the array in every cycle: products, operands from the scratchpad, sums into the accumulator; leakage.
Range full_rate_w(const Machine& m, const Technology& t, MultiplyType type, double busy) {
  const Prices p = prices(m, t);
  const double cells = static_cast<double>(m.matrix.units) * m.matrix.rows * m.matrix.columns;
  const double edge = static_cast<double>(m.matrix.units) * m.matrix.rows;
  const double bytes = edge * operand_bits(type) / 8;
  const Range cycle = p.product[static_cast<std::size_t>(type)] * cells +
                      (p.scratchpad_byte + p.wire_byte) * bytes + p.sum * edge;
  return (cycle * busy + p.leakage_cycle) * (m.clock_ghz * 1e-3);
}

void check(const char* chip, const std::vector<Row>& rows) {
  std::string table = fmt::format("{:<28}{:>10}{:>10}{:>10}{:>10}{:>9}\n", chip, "published", "typical",
                                  "low", "high", "error");
  for (const Row& row : rows) {
    const double error = 100 * (row.model.typical / row.published - 1);
    table += fmt::format("{:<28}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}{:>7.0f} %\n", row.what, row.published,
                         row.model.typical, row.model.low, row.model.high, error);
    INFO(row.what);
    CHECK(error == Approx(row.error_percent).margin(0.5));  // a change is announced
  }
  UNSCOPED_INFO(table);
  SUCCEED(table);
}

}  // namespace

TEST_CASE("TPU v1: areas and power beside those published") {
  const Machine m = tpu_v1();
  const Technology t = node("28nm");
  const ChipArea area = chip_area(m, t);
  check("TPU v1, 28 nm",
        {{"unified buffer, mm2", 0.29 * 331, area[Block::scratchpad] * 1e-6, -62},
         {"matrix unit, mm2", 0.24 * 331, area[Block::matrix] * 1e-6, -72.5},
         {"accumulators, mm2", 0.06 * 331, area[Block::accumulator] * 1e-6, -38.7},
         {"power at 78 % (CNN0), W", 40, full_rate_w(m, t, MultiplyType::int8, 0.782), -35}});
}

TEST_CASE("TPU v4i: areas and power beside those published") {
  const Machine m = tpu_v4i();
  const Technology t = node("7nm");
  const ChipArea area = chip_area(m, t);
  check("TPU v4i, 7 nm", {{"common memory, mm2", 0.28 * 400, area[Block::scratchpad] * 1e-6, -63},
                          {"matrix units, mm2", 0.11 * 400, area[Block::matrix] * 1e-6, -49.3},
                          {"peak power, W (TDP)", 175, full_rate_w(m, t, MultiplyType::bf16, 1), -70.2}});
}

TEST_CASE("Eyeriss: area and power beside those published") {
  const Machine m = eyeriss();
  const Technology t = node("65nm");
  const double busy = 34.7 * 666e6 / (12 * 14 * 0.2e9);
  check("Eyeriss, 65 nm", {{"core, mm2", 12.25, chip_area(m, t).total_um2() * 1e-6, -71.2},
                           {"AlexNet, mW", 278, full_rate_w(m, t, MultiplyType::fp16, busy) * 1e3, -47.1}});
}

}  // namespace tokencycle
