// SPDX-License-Identifier: Apache-2.0
// A sequential interpreter of programs over byte arrays: what sim/isa/reference.cpp says, one word after
// the other, without time. The oracle for compiler and machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "isa/program.h"

namespace tokencycle::test {

struct InterpreterCounts {
  std::uint64_t instructions = 0;  // executed, front end included
  std::uint64_t loaded_bytes = 0;  // by load and gather
  std::uint64_t stored_bytes = 0;
  std::uint64_t multiplications = 0;  // multiply-accumulates of multiply and matmul
};

class Interpreter {
 public:
  std::vector<std::byte> dram, scratchpad, accumulator;

  Interpreter(std::uint64_t dram_bytes, std::uint32_t scratchpad_bytes, std::uint32_t accumulator_bytes);

  // Copies a program's initial data into the DRAM.
  void place(std::span<const isa::DataSegment> data);

  // Runs until halt. `retired` is called after each word with its index. Throws std::runtime_error naming
  // the word for bytes outside a memory and for whatever else it forbids.
  using Retired = std::function<void(std::uint32_t word)>;
  void run(std::span<const isa::Word> words, const Retired& retired = {});

  const InterpreterCounts& counts() const { return counts_; }

 private:
  // Elements of a row as the multipliers see them: numbers, or integers that floats hold exactly.
  struct Elements {
    Format format = Format::f32;
    std::uint32_t first = 0;  // in the row
    std::vector<float> values;
    std::vector<float> scales;   // of each element's group; 1 where the format has none
    std::vector<std::byte> row;  // as stored, up to the last element
  };
  struct Tile {
    Format format = Format::f32;
    std::uint32_t k_offset = 0;
    std::vector<Elements> columns;  // [n][k]
  };
  struct Matrix {  // an operand of the matrix unit
    isa::LocalAddress at;
    std::uint32_t stride = 0;
    Format format = Format::f32;
  };

  void block(std::span<const isa::Word> words, std::uint32_t first, std::uint32_t end, std::uint32_t depth,
             const Retired& retired);
  void execute(const isa::Instruction& i);
  void load(const isa::Instruction& i);
  void gather(const isa::Instruction& i);
  void store(const isa::Instruction& i);
  void preload(const isa::Instruction& i);
  void multiply(const isa::Instruction& i);
  void matmul(const isa::Instruction& i);
  void check_pass(const isa::Instruction& i) const;
  static float offset_of(const Elements& e, std::uint32_t k, std::uint32_t length);
  static float term(Format weight, const Elements& x, const Elements& w, std::uint32_t k, float sum);
  Elements elements(const Matrix& matrix, std::uint32_t row, std::uint32_t first, std::uint32_t count);
  Tile tile(const Matrix& matrix, isa::TileOrder order, std::uint32_t k_offset, std::uint32_t k,
            std::uint32_t n);
  void vector_operation(const isa::Instruction& i);
  void vector_row(const isa::Instruction& i, std::uint32_t row, std::span<const float> a, std::span<float> d);
  bool move_by_index(const isa::Instruction& i);  // false: it is no such instruction
  void transpose(const isa::Instruction& i);

  std::byte* dram_at(std::uint64_t at, std::uint64_t bytes);
  std::byte* local_at(isa::LocalAddress at, std::uint64_t offset, std::uint64_t bytes);
  std::vector<float> read_row(isa::LocalAddress at, std::uint64_t offset, Format f, std::uint32_t cols);
  isa::Instruction resolved(isa::Instruction i) const;

  std::array<std::int64_t, isa::kAddressRegisters> registers_{};
  Tile active_, shadow_;
  std::vector<float> group_sums_;                // [m][n]; exact integers for block formats
  std::uint32_t open_rows_ = 0, open_cols_ = 0;  // of the unfinished group; 0: none
  std::array<std::uint64_t, isa::kSemaphores> semaphores_{};
  bool halted_ = false;
  std::uint32_t word_ = 0;
  InterpreterCounts counts_;
};

}  // namespace tokencycle::test
