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
  Checker(const model::LlamaModel& model, Format kv_format, std::uint32_t sequences,
          machine::Accelerator& accelerator);

  // Before a step: where the results will be.
  void begin(const compiler::CompiledStep& step);
  std::uint32_t interests() const override { return observe::kinds({}); }
  void on_event(const observe::Event&) override {}
  void on_retired(const observe::InstructionRecord& record) override;

  // After a step: evaluates its input with the reference, the rows of an encoder, or each sequence's token
  // ids with one of its own, which knows of no other sequence. Throws CheckError at the first difference in
  // graph order: token position, operator, index, both values. logits: the rows that the machine wrote, the
  // last for the last row.
  void compare(std::span<const compiler::Segment> segments, std::span<const std::byte> input,
               std::span<const std::vector<float>> logits);
  void reset();
  // Between two steps.
  template <class Archive>
  void serialize(Archive& state) {
    for (model::Reference& reference : references_) state(reference);
  }

 private:
  struct Captured {
    compiler::Tap tap;
    std::vector<float> values;  // [row][cols]
  };
  // A row of a step and whose token it is.
  struct Place {
    std::uint32_t row = 0, sequence = 0, position = 0;
  };
  void compare_encoded(std::span<const std::byte> rows, std::span<const std::vector<float>> logits);
  void compare_logits(std::span<const float> logits, std::span<const float> expected,
                      const Place& place) const;
  void compare_operator(const model::Operator& op, const Place& place, std::span<const float> expected) const;
  [[noreturn]] void fail(const model::Operator& op, const Place& place, std::size_t index, float machine,
                         float reference) const;

  const model::LlamaModel& model_;
  std::vector<model::Reference> references_;  // by sequence
  machine::Accelerator& accelerator_;
  std::vector<Captured> captured_;  // of each tap of the step
};

}  // namespace tokencycle::host
