// SPDX-License-Identifier: Apache-2.0
#include "config/technology/area.h"

#include <cmath>

#include "config/dram/system.h"

namespace tokencycle::config {
namespace {

using Q = Quantity;

constexpr double kWordBits = 256;  // of an instruction
constexpr double kBurstBits = 64;  // address and state of a burst in flight
constexpr double kSumBits = 32;

Quantity multiply_um2(MultiplyType type) {
  const int offset = static_cast<int>(Q::multiply_int8_um2) - static_cast<int>(Q::multiply_int8_pj);
  return static_cast<Quantity>(static_cast<int>(multiply_pj(type)) + offset);
}

// A cell multiplies each type of the machine in its cycles. Low and typical: the largest type's circuit
// does the others' work too; high: each type has its own.
Range cell_um2(const Matrix& matrix, const Technology& t) {
  Range cell;
  double operand = 0;
  for (int i = 0; i < kMultiplyTypes; ++i) {
    const auto type = static_cast<MultiplyType>(i);
    const double cycles = matrix.cycles_per_row[static_cast<std::size_t>(i)];
    if (cycles == 0) continue;
    const Range circuit =
        (t[multiply_um2(type)] + t[sums_integers(type) ? Q::add_int32_um2 : Q::add_fp32_um2]) * (1 / cycles);
    cell.low = std::max(cell.low, circuit.low);
    cell.typical = std::max(cell.typical, circuit.typical);
    cell.high += circuit.high;
    operand = std::max(operand, operand_bits(type) / cycles);
  }
  const double operands = matrix.dataflow == Dataflow::output_stationary ? 2 : matrix.double_buffered ? 3 : 2;
  return cell + t[Q::register_bit_um2] * (operands * operand + kSumBits);
}

Range matrix_um2(const Matrix& matrix, const Technology& t) {
  const double cells = static_cast<double>(matrix.rows) * matrix.columns;
  const Range scales = t[Q::multiply_fp32_um2] + t[Q::add_fp32_um2];  // of block formats, at a column's end
  return cell_um2(matrix, t) * cells + scales * static_cast<double>(matrix.columns);
}

Range lane_um2(const Vector& vector, const Technology& t) {
  const auto circuit = [&t](VectorFunction f) -> Range {
    switch (f) {
      case VectorFunction::add:
      case VectorFunction::reduce:
        return t[Q::add_fp32_um2];
      case VectorFunction::mul:
        return t[Q::multiply_fp32_um2];
      case VectorFunction::copy:
        return {};
      case VectorFunction::convert:
        return t[Q::add_int32_um2];
      case VectorFunction::quantize:
        return t[Q::multiply_fp32_um2] + t[Q::add_int32_um2];
      case VectorFunction::exp:
      case VectorFunction::divide:
        return t[Q::function_um2];
      case VectorFunction::rotary:
        return 2 * t[Q::multiply_fp32_um2] + t[Q::add_fp32_um2];
    }
    return {};
  };
  Range lane;
  for (int i = 0; i < kVectorFunctions; ++i) {
    const auto f = static_cast<VectorFunction>(i);
    lane += circuit(f) * (1.0 / vector.cost(f).cycles_per_beat);
    lane +=
        t[Q::register_bit_um2] * (kSumBits * vector.cost(f).latency_cycles / vector.cost(f).cycles_per_beat);
  }
  return lane;
}

double control_bits(const Machine& m) {
  constexpr double kQueues = 4;  // load, store, matrix, vector
  return kWordBits * (m.fetch.buffer_words + m.scoreboard.entries + kQueues * m.dispatch.queue_depth);
}

double dma_bits(const Machine& m) {
  return m.dma.engines * (kBurstBits * (m.dma.load_bursts_in_flight + m.dma.store_bursts_in_flight) +
                          2.0 * 8 * m.dma.port_bytes);
}

}  // namespace

std::string_view name_of(Block block) {
  static constexpr std::array<std::string_view, kBlocks> kNames = {
      "matrix", "accumulator", "scratchpad", "vector", "control", "dma", "dram_interface"};
  return kNames.at(static_cast<std::size_t>(block));
}

std::uint32_t operand_bits(MultiplyType type) {
  switch (type) {
    case MultiplyType::int4:
      return 4;
    case MultiplyType::int8:
      return 8;
    case MultiplyType::fp16:
    case MultiplyType::bf16:
      return 16;
    case MultiplyType::fp32:
      return 32;
  }
  return 32;
}

Quantity multiply_pj(MultiplyType type) {
  static_assert(static_cast<int>(Q::multiply_fp32_pj) == kMultiplyTypes - 1);  // the types' order
  return static_cast<Quantity>(type);
}

bool sums_integers(MultiplyType type) {
  return type == MultiplyType::int8 || type == MultiplyType::int4;
}

Range sram_um2(const Technology& t, double bits, bool second_port) {
  const Range one = t[Q::sram_cell_um2] / t[Q::sram_cells_share] * bits;
  return second_port ? one * t[Q::sram_second_port_area] : one;
}

Range sram_access_pj(const Technology& t, double kib, double width_bits, bool second_port) {
  struct Point {
    double kib;
    Quantity quantity;
  };
  static constexpr std::array kPoints = {Point{8, Q::sram_8_kib_pj}, Point{32, Q::sram_32_kib_pj},
                                         Point{1024, Q::sram_1024_kib_pj}};
  const std::size_t first = kib < kPoints[1].kib ? 0 : 1;
  const Range &a = t[kPoints[first].quantity], &b = t[kPoints[first + 1].quantity];
  const double at =
      std::log(kib / kPoints[first].kib) / std::log(kPoints[first + 1].kib / kPoints[first].kib);
  const auto mix = [at](double x, double y) { return x * std::pow(y / x, at); };
  Range access{mix(a.low, b.low), mix(a.typical, b.typical), mix(a.high, b.high)};
  const Range& exponent = t[Q::sram_width_exponent];
  const auto wider = [&](double e) { return std::pow(width_bits / 64, e); };
  access = access * Range{std::min(wider(exponent.low), wider(exponent.high)), wider(exponent.typical),
                          std::max(wider(exponent.low), wider(exponent.high))};
  return second_port ? access * t[Q::sram_second_port_energy] : access;
}

Range ChipArea::total_um2() const {
  Range total;
  for (const Range& block : um2) total += block;
  return total;
}

ChipArea chip_area(const Machine& m, const Technology& t) {
  ChipArea area;
  const auto put = [&area](Block block, const Range& um2) {
    area.um2[static_cast<std::size_t>(block)] = um2;
  };
  const double cores = m.cores;
  const std::uint64_t accumulator_bits = std::uint64_t{8} * m.accumulator.capacity_bytes * m.matrix.units;
  const std::uint64_t scratchpad_bits = std::uint64_t{8} * m.scratchpad.capacity_bytes;
  area.sram_bits = m.cores * (accumulator_bits + scratchpad_bits);
  put(Block::matrix, matrix_um2(m.matrix, t) * (cores * m.matrix.units));
  put(Block::accumulator, sram_um2(t, static_cast<double>(accumulator_bits), true) * cores);
  put(Block::scratchpad,
      sram_um2(t, static_cast<double>(scratchpad_bits), m.scratchpad.separate_write_port) * cores);
  put(Block::vector, lane_um2(m.vector, t) * (cores * m.vector.units * m.vector.lanes));
  put(Block::control, t[Q::register_bit_um2] * (cores * control_bits(m)));
  put(Block::dma, t[Q::register_bit_um2] * (cores * dma_bits(m)));
  if (m.dram.system) {
    const double pins = static_cast<double>(m.dram.system->device.channel_bits) * m.dram.channels;
    put(Block::dram_interface, t[Q::dram_interface_um2] * pins);
  }
  return area;
}

}  // namespace tokencycle::config
