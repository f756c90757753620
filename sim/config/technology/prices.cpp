// SPDX-License-Identifier: Apache-2.0
#include "config/technology/prices.h"

#include <cmath>

namespace tokencycle::config {
namespace {

using Q = Quantity;
constexpr double kSumWidth = 32, kKibibyte = 1024, kUm2OfMm2 = 1e6;

Range product_pj(MultiplyType type, const Technology& t) {
  return t[multiply_pj(type)] + t[sums_integers(type) ? Q::add_int32_pj : Q::add_fp32_pj] +
         t[Q::register_bit_pj] * (operand_bits(type) + kSumWidth);
}

Range lane_pj(VectorFunction f, const Technology& t) {
  const Range result = t[Q::register_bit_pj] * kSumWidth;
  switch (f) {
    case VectorFunction::add:
    case VectorFunction::reduce:
      return t[Q::add_fp32_pj] + result;
    case VectorFunction::mul:
      return t[Q::multiply_fp32_pj] + result;
    case VectorFunction::copy:
      return result;
    case VectorFunction::convert:
      return t[Q::add_int32_pj] + result;
    case VectorFunction::quantize:
      return t[Q::multiply_fp32_pj] + t[Q::add_int32_pj] + result;
    case VectorFunction::exp:
    case VectorFunction::divide:
      return t[Q::function_pj] + result;
    case VectorFunction::rotary:
      return 2 * t[Q::multiply_fp32_pj] + t[Q::add_fp32_pj] + result;
  }
  return result;
}

// mW over GHz: pJ in a cycle.
Range leakage_pj(const Machine& m, const Technology& t, const ChipArea& area) {
  Range logic = area.total_um2() * (1 / kUm2OfMm2);
  const Range memory = area.sram_um2() * (1 / kUm2OfMm2);
  logic = {logic.low - memory.low, logic.typical - memory.typical, logic.high - memory.high};
  const Range mw = t[Q::logic_leakage_mw_mm2] * logic +
                   t[Q::sram_leakage_nw] * (1e-6 * static_cast<double>(area.sram_bits));
  return mw * (1 / m.clock_ghz);
}

}  // namespace

Prices prices(const Machine& m, const Technology& t) {
  Prices p;
  for (int i = 0; i < kMultiplyTypes; ++i)
    p.product[static_cast<std::size_t>(i)] = product_pj(static_cast<MultiplyType>(i), t);
  for (int i = 0; i < kVectorFunctions; ++i)
    p.lane[static_cast<std::size_t>(i)] = lane_pj(static_cast<VectorFunction>(i), t);
  const double bank_kib = m.scratchpad.capacity_bytes / kKibibyte / m.scratchpad.banks;
  p.scratchpad_byte =
      sram_access_pj(t, bank_kib, 8.0 * m.scratchpad.bank_bytes, m.scratchpad.separate_write_port) *
      (1.0 / m.scratchpad.bank_bytes);
  const ChipArea area = chip_area(m, t);
  const Range edge_mm =
      each(area.total_um2() * (1 / kUm2OfMm2 / m.cores), [](double a) { return std::sqrt(a); });
  p.wire_byte = t[Q::wire_pj_mm] * edge_mm * (8 * 0.5);
  p.sum = sram_access_pj(t, m.accumulator.capacity_bytes / kKibibyte, kSumWidth * m.matrix.columns, true) *
          (2.0 / m.matrix.columns);
  p.instruction = t[Q::instruction_pj];
  p.interface_byte = t[Q::dram_interface_pj] * 8;
  p.leakage_cycle = leakage_pj(m, t, area);
  return p;
}

}  // namespace tokencycle::config
