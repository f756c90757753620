// SPDX-License-Identifier: Apache-2.0
// Random instructions of the matrix unit: preloads and multiplies, or matmuls, as the machine's dataflow
// takes.
#pragma once

#include <optional>
#include <vector>

#include "timing/operand_picker.h"

namespace tokencycle::timing {

// Appends words to a program. Knows what the array holds, inside one block of the program alone.
class MatrixGenerator {
 public:
  MatrixGenerator(Random& random, const config::Machine& machine, OperandPicker& pick,
                  std::vector<isa::Word>& words)
      : random_(random), matrix_(machine.matrix), pick_(pick), words_(words) {}

  // Blocks begin and end with an empty shadow tile and no open group, so that a loop's iterations are alike.
  void begin_block() { active_.reset(); }
  void end_block();
  // A few instructions, fewer where no place is found for the operands of one.
  void emit_some();

 private:
  using Instruction = isa::Instruction;
  void emit_one();
  void emit(const Instruction& i) { words_.push_back(isa::encode(i)); }
  bool has(MultiplyType type) const { return matrix_.cycles_per_row[static_cast<std::size_t>(type)] != 0; }
  std::vector<Format> partners(Format tile) const;
  std::uint32_t first_element(Format f, std::uint32_t most_groups);
  void preload();
  bool multiply();
  void choose_moving(Instruction& i, const Instruction& tile);
  bool continues_group(const Instruction& i) const;
  bool place_sums(Instruction& i);
  void matmul();

  Random& random_;
  const config::Matrix& matrix_;
  OperandPicker& pick_;
  std::vector<isa::Word>& words_;

  std::optional<Instruction> shadow_, active_, open_group_;
};

}  // namespace tokencycle::timing
