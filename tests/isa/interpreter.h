// SPDX-License-Identifier: Apache-2.0
// The README's loop nests for fp32 matrix products, run word after word: enough for hand-written programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "isa/program.h"

namespace tokencycle::isa::test {

class Interpreter {
 public:
  // DRAM and scratchpad of `bytes` bytes each, the accumulator memory of as many values, all zero.
  explicit Interpreter(std::size_t bytes) : dram_(bytes), scratchpad_(bytes), accumulator_(bytes) {}

  // Places the program's data and runs to its halt. Throws std::out_of_range beyond a memory and
  // std::invalid_argument for an instruction that this interpreter does not have.
  void run(const Program& program);

  float dram_f32(std::size_t address) const;
  std::uint64_t executed() const { return executed_; }  // words, with every iteration of a loop

 private:
  void run_body(const Program& program, std::size_t first, std::size_t end);
  void run_loop(const Program& program, std::size_t word, const Instruction& loop);
  void execute(Instruction i);
  void preload(const Instruction& i);
  void multiply(const Instruction& i);
  float scratchpad_f32(std::size_t address) const;

  std::vector<std::byte> dram_, scratchpad_;
  std::vector<float> accumulator_;
  std::vector<std::vector<float>> shadow_, active_;  // [k][n]
  std::vector<std::vector<float>> group_sum_;        // [m][n]
  std::int64_t registers_[kAddressRegisters] = {};
  std::uint64_t executed_ = 0;
  bool halted_ = false;
};

}  // namespace tokencycle::isa::test
