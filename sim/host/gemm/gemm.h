// SPDX-License-Identifier: Apache-2.0
// One matrix product on one machine: the array alone, then end to end through DRAM, every value checked.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/gemm/product.h"
#include "machine/accelerator.h"
#include "observe/analysis/cycle_stack.h"

namespace tokencycle::host {

struct GemmLayer {
  std::string name;
  GemmShape shape;
};

struct GemmOptions {
  GemmType type = kGemmTypes[0];
  bool array_alone = false;   // nothing else
  bool timing_only = false;   // no values, and no check
  std::uint64_t seed = 0;     // of the operands
  machine::Pulse pulse = {};  // of the machine
};

// The matrix unit with operands as fast as it takes them.
struct GemmArray {
  std::uint64_t cycles = 0;      // from the first start to the last result
  std::uint64_t folds = 0;       // tiles, or matmuls
  std::uint64_t used_cells = 0;  // summed over the folds
};

// The product as a program, from its first fetch to its halt.
struct GemmRun {
  std::uint64_t cycles = 0, instructions = 0, words = 0;
  observe::Stack stack{};
  std::array<std::uint64_t, observe::kStates> matrix{};              // cycles of the matrix units by state
  std::uint64_t loaded_bytes = 0, stored_bytes = 0, word_bytes = 0;  // moved on the DRAM's wires
  std::uint64_t checked = 0;                                         // values equal to the reference's
};

struct GemmReport {
  GemmLayer layer;
  std::uint32_t step = 1;  // cycles of the multiplier type
  GemmArray array;
  std::optional<GemmRun> run;

  // Multiply-accumulates x step over the cells of all cycles; at most 100.
  double utilisation_percent(const config::Machine& machine, std::uint64_t cycles) const;
  double mapping_percent(const config::Machine& machine) const;
};

// Throws ConfigurationError for what the machine cannot do, CheckError at the first wrong value.
GemmReport run_gemm(const config::Machine& machine, const GemmLayer& layer, const GemmOptions& options);

}  // namespace tokencycle::host
