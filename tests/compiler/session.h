// SPDX-License-Identifier: Apache-2.0
// One model compiled for one machine, interpreted, and compared with the reference step by step.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/compiler.h"
#include "model/reference/reference.h"
#include "support/interpreter.h"

namespace tokencycle::test {

// The shape of a machine; everything else is of no interest to the compiler.
struct MachineShape {
  std::uint32_t rows = 16, columns = 16;
  std::uint32_t scratchpad_kib = 256, accumulator_kib = 64;
  std::uint32_t queue_depth = 8;
  std::uint32_t group_buffer_rows = 8;
  std::uint64_t dram_bytes = std::uint64_t{1} << 32;
};
config::Machine make_machine(const MachineShape& shape);
std::string to_string(const MachineShape& shape);

class CompilerSession {
 public:
  CompilerSession(const model::LlamaModel& model, const config::Machine& machine,
                  const compiler::Options& options = {});

  // Compiles and interprets the tokens as one step of the first sequence, feeds them to the reference, and
  // compares every tap and all wanted logits bit for bit. Returns the first difference, empty when there is
  // none.
  std::string step(std::span<const std::uint32_t> tokens, bool all_logits = false, bool want_logits = true);
  // The same of several sequences, segment behind segment, with logits of the last `outputs` rows. Each has a
  // reference that evaluates it alone.
  struct Part {
    std::uint32_t sequence = 0;
    std::vector<std::uint32_t> tokens;
  };
  std::string shared_step(const std::vector<Part>& parts, std::uint32_t outputs);

  const compiler::Compiler& compiler() const { return compiler_; }
  const compiler::CompiledStep& last() const { return last_; }
  const InterpreterCounts& counts() const { return interpreter_.counts(); }

 private:
  void write_step(const compiler::Step& step, std::span<const std::uint32_t> tokens);
  std::vector<float> values_at(const compiler::Tap& tap) const;
  void evaluate_alone(const std::vector<Part>& parts);
  void compare_tap(const compiler::Tap& tap, const std::vector<float>& values);
  void compare_coverage(const compiler::Step& step);
  void compare_logits(const compiler::Step& step);
  void differ(const std::string& what);

  const model::LlamaModel& model_;
  compiler::Compiler compiler_;
  Interpreter interpreter_;
  std::vector<model::Reference> references_;  // by sequence
  compiler::CompiledStep last_;
  std::vector<std::vector<float>> seen_;                   // [tap], when its word retired for the last time
  std::vector<std::vector<std::vector<float>>> expected_;  // [row][operator]
  std::vector<std::uint64_t> covered_;                     // values compared, by operator
  std::string difference_;
};

}  // namespace tokencycle::test
