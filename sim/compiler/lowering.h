// SPDX-License-Identifier: Apache-2.0
// From the graph to instructions: what each operator becomes in one step.
#pragma once

#include <array>
#include <cstdint>

#include "compiler/builder.h"
#include "compiler/matmul.h"

namespace tokencycle::compiler {

// What a step is compiled from; all outlive the lowering.
struct StepContext {
  const model::LlamaModel& model;
  const config::Machine& machine;
  const Demands& demands;
  const DramLayout& layout;
  const Plan& plan;
  Step step;
};

class Lowering {
 public:
  explicit Lowering(const StepContext& context);
  // Emits the whole step: every operator in graph order, a fence for all units, halt.
  Draft run();

 private:
  // Rows of an fp32 buffer with its encoded forms, made when a projection asks for them.
  struct Activation {
    Rows fp32;
    std::uint32_t cols = 0, rows = 0;
    const Plan::Encoded* encoded = nullptr;
    FormatSet ready;
  };

  void lower(std::uint32_t index);
  void embedding(std::uint32_t index);
  void rms_norm(std::uint32_t index);
  void rotary(std::uint32_t query_index);
  void output(std::uint32_t index);
  void project(std::uint32_t index, Activation& input, const SumsSink& sink);
  SumsSink copy_to(std::uint32_t index, Rows buffer);
  SumsSink add_to_x(std::uint32_t index);
  void feed_forward(std::uint32_t gate_index);
  SumsSink silu_to_act(std::uint32_t index, std::uint32_t first);
  SumsSink mul_into_act(std::uint32_t index, std::uint32_t first);
  void multiply(std::uint32_t index, std::uint32_t first, std::uint32_t count, Activation& input,
                const SumsSink& sink);
  std::uint32_t gain_row(const model::Weight& gain);
  Rows encoded(Activation& input, Format format);
  // The next operator of this kind in the graph.
  std::uint32_t next_of(std::uint32_t index, model::OperatorKind kind) const;
  bool is_head_norm(std::uint32_t index) const;

  const StepContext& c_;
  const model::Hyperparameters& shape_;
  Builder builder_;
  Rows x_, q_, k_, v_, o_, act_;
  Activation h_, attention_result_, feed_result_;
};

}  // namespace tokencycle::compiler
