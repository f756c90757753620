// SPDX-License-Identifier: Apache-2.0
// A process: what an operation, a bit, a wire take in energy and area, each with sources and a range.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/technology/range.h"

namespace tokencycle::config {

// In the order of kQuantities' rows.
enum class Quantity : std::uint8_t {
  multiply_int8_pj,
  multiply_int4_pj,
  multiply_fp16_pj,
  multiply_bf16_pj,
  multiply_fp32_pj,
  add_int32_pj,
  add_fp32_pj,
  multiply_int8_um2,
  multiply_int4_um2,
  multiply_fp16_um2,
  multiply_bf16_um2,
  multiply_fp32_um2,
  add_int32_um2,
  add_fp32_um2,
  register_bit_pj,
  register_bit_um2,
  function_pj,
  function_um2,
  sram_8_kib_pj,
  sram_32_kib_pj,
  sram_1024_kib_pj,
  sram_width_exponent,
  sram_second_port_energy,
  sram_second_port_area,
  sram_cell_um2,
  sram_cells_share,
  sram_leakage_nw,
  logic_leakage_mw_mm2,
  wire_pj_mm,
  instruction_pj,
  dram_interface_pj,
  dram_interface_um2,
};
inline constexpr int kQuantities = static_cast<int>(Quantity::dram_interface_um2) + 1;

// How a figure follows from one node to another. leakage: as energy; leakage_density: as energy over area.
enum class Scaling : std::uint8_t { none, energy, area, leakage, leakage_density };

struct QuantityRow {
  Quantity quantity;
  std::string_view name, unit, meaning;
  Scaling scaling = Scaling::none;
};
std::span<const QuantityRow> quantities();

struct Technology {
  std::string name, description;
  double node_nm = 0, voltage_v = 0;
  std::array<Range, kQuantities> values{};  // at this node and voltage
  std::vector<std::string> sources;         // "NAME: text (licence)" of the figures that they are from
  std::string digest;                       // of all files

  const Range& operator[](Quantity q) const { return values[static_cast<std::size_t>(q)]; }
};

// Reads and checks a technology and those that it is based on, which are beside it or in `bundled`. Every
// violation is listed with its JSON path, value and what is allowed. Throws ConfigurationError, IoError.
Technology read_technology(const std::filesystem::path& path, const std::filesystem::path& bundled);

}  // namespace tokencycle::config
