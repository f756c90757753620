// SPDX-License-Identifier: Apache-2.0
#include "config/technology/technology.h"

namespace tokencycle::config {
namespace {

using Q = Quantity;
using S = Scaling;

constexpr QuantityRow kRows[] = {
    {Q::multiply_int8_pj, "multiply_int8_pj", "pJ", "a product of two 8-bit integers", S::energy},
    {Q::multiply_int4_pj, "multiply_int4_pj", "pJ", "of two 4-bit integers", S::energy},
    {Q::multiply_fp16_pj, "multiply_fp16_pj", "pJ", "of two fp16 numbers", S::energy},
    {Q::multiply_bf16_pj, "multiply_bf16_pj", "pJ", "of two bf16 numbers", S::energy},
    {Q::multiply_fp32_pj, "multiply_fp32_pj", "pJ", "of two fp32 numbers", S::energy},
    {Q::add_int32_pj, "add_int32_pj", "pJ", "a sum of two 32-bit integers", S::energy},
    {Q::add_fp32_pj, "add_fp32_pj", "pJ", "of two fp32 numbers", S::energy},
    {Q::multiply_int8_um2, "multiply_int8_um2", "um2", "the multiplier of 8-bit integers", S::area},
    {Q::multiply_int4_um2, "multiply_int4_um2", "um2", "of 4-bit integers", S::area},
    {Q::multiply_fp16_um2, "multiply_fp16_um2", "um2", "of fp16", S::area},
    {Q::multiply_bf16_um2, "multiply_bf16_um2", "um2", "of bf16", S::area},
    {Q::multiply_fp32_um2, "multiply_fp32_um2", "um2", "of fp32", S::area},
    {Q::add_int32_um2, "add_int32_um2", "um2", "the adder of 32-bit integers", S::area},
    {Q::add_fp32_um2, "add_fp32_um2", "um2", "of fp32", S::area},
    {Q::register_bit_pj, "register_bit_pj", "pJ", "a clock of a register's bit that takes a new value",
     S::energy},
    {Q::register_bit_um2, "register_bit_um2", "um2", "a register's bit", S::area},
    {Q::function_pj, "function_pj", "pJ", "an exponential, a division, a square root in fp32", S::energy},
    {Q::function_um2, "function_um2", "um2", "what computes one a clock", S::area},
    {Q::sram_8_kib_pj, "sram_8_kib_pj", "pJ", "64 bits read from or written to an SRAM of 8 KiB", S::energy},
    {Q::sram_32_kib_pj, "sram_32_kib_pj", "pJ", "of 32 KiB", S::energy},
    {Q::sram_1024_kib_pj, "sram_1024_kib_pj", "pJ", "of 1 MiB", S::energy},
    {Q::sram_width_exponent, "sram_width_exponent", "",
     "an access of w bits takes (w / 64) to this power as much", S::none},
    {Q::sram_second_port_energy, "sram_second_port_energy", "",
     "an access where reading and writing have a port each, against one for both", S::none},
    {Q::sram_second_port_area, "sram_second_port_area", "", "and the area", S::none},
    {Q::sram_cell_um2, "sram_cell_um2", "um2", "a cell of one port", S::area},
    {Q::sram_cells_share, "sram_cells_share", "", "of an SRAM's area", S::none},
    {Q::sram_leakage_nw, "sram_leakage_nw", "nW", "a bit of an SRAM", S::leakage},
    {Q::logic_leakage_mw_mm2, "logic_leakage_mw_mm2", "mW/mm2", "of all other area", S::leakage_density},
    {Q::wire_pj_mm, "wire_pj_mm", "pJ/mm", "a bit on a wire", S::energy},
    {Q::instruction_pj, "instruction_pj", "pJ", "an instruction, from its word to its retirement", S::energy},
    {Q::dram_interface_pj, "dram_interface_pj", "pJ", "a bit through the chip's side of the DRAM interface",
     S::none},
    {Q::dram_interface_um2, "dram_interface_um2", "um2", "that side, for a data pin", S::none},
};
static_assert(std::size(kRows) == kQuantities);

}  // namespace

std::span<const QuantityRow> quantities() {
  return kRows;
}

}  // namespace tokencycle::config
