// SPDX-License-Identifier: Apache-2.0
// Compares what the machine computes with the reference, operator by operator, bit by bit.
#pragma once

#include <span>
#include <vector>

#include "compiler/compiler.h"
#include "machine/accelerator.h"
#include "model/reference/reference.h"
#include "observe/event.h"

namespace tokencycle::host {

// Subscribed to the machine, it takes each operator's result from local memory at the moment when the last of
// the instructions that write it retires.
class Checker : public observe::Observer {
 public:
  Checker(const model::LlamaModel& model, Format kv_format, machine::Accelerator& accelerator);

  // Before a step: where the results will be.
  void begin(const compiler::CompiledStep& step);
  std::uint32_t interests() const override { return observe::kinds({}); }
  void on_event(const observe::Event&) override {}
  void on_retired(const observe::InstructionRecord& record) override;

  // After a step: evaluates its input, token ids or the rows of an encoder, with the reference. Throws
  // CheckError at the first difference in graph order: token position, operator, index, both values. logits:
  // the rows that the machine wrote, the last for the last token.
  void compare(std::span<const std::byte> input, std::span<const std::vector<float>> logits);
  void reset();
  // Between two steps.
  template <class Archive>
  void serialize(Archive& state) {
    state(reference_);
  }

 private:
  struct Captured {
    compiler::Tap tap;
    std::vector<float> values;  // [row][cols]
  };
  void compare_encoded(std::span<const std::byte> rows, std::span<const std::vector<float>> logits);
  void compare_logits(std::span<const float> logits, std::span<const float> expected,
                      std::uint32_t position) const;
  void compare_operator(const model::Operator& op, std::uint32_t token, std::uint32_t tokens,
                        std::span<const float> expected) const;
  [[noreturn]] void fail(const model::Operator& op, std::uint32_t position, std::size_t index, float machine,
                         float reference) const;

  const model::LlamaModel& model_;
  model::Reference reference_;
  machine::Accelerator& accelerator_;
  std::vector<Captured> captured_;  // of each tap of the step
};

}  // namespace tokencycle::host
