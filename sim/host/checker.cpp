// SPDX-License-Identifier: Apache-2.0
#include "host/checker.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/error.h"

namespace tokencycle::host {

namespace {
bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}
}  // namespace

Checker::Checker(const model::LlamaModel& model, Format kv_format, machine::Accelerator& accelerator)
    : model_(model), reference_(model, kv_format), accelerator_(accelerator) {}

void Checker::begin(const compiler::CompiledStep& step) {
  captured_.clear();
  captured_.reserve(step.taps.size());
  for (const compiler::Tap& tap : step.taps) {
    captured_.push_back({tap, std::vector<float>(std::size_t{tap.rows} * tap.cols)});
  }
}

void Checker::reset() {
  reference_.reset();
}

void Checker::on_retired(const observe::InstructionRecord& record) {
  for (Captured& captured : captured_) {
    const compiler::Tap& tap = captured.tap;
    if (record.pc < tap.from || record.pc > tap.after) continue;
    if (record.pc != tap.after && record.unit == isa::Unit::load) continue;
    for (std::uint32_t r = 0; r < tap.rows; ++r) {
      const auto row =
          accelerator_.local(tap.address + r * tap.row_bytes, std::size_t{tap.cols} * sizeof(float));
      std::memcpy(captured.values.data() + std::size_t{r} * tap.cols, row.data(), row.size());
    }
  }
}

void Checker::compare(std::span<const std::byte> input, std::span<const std::vector<float>> logits) {
  if (model_.graph().bidirectional()) return compare_encoded(input, logits);
  std::vector<model::TokenId> tokens(input.size() / sizeof(model::TokenId));
  std::memcpy(tokens.data(), input.data(), input.size());
  for (std::uint32_t t = 0; t < tokens.size(); ++t) {
    reference_.set_tap([&](const model::Operator& op, std::uint32_t, std::span<const float> expected) {
      compare_operator(op, t, static_cast<std::uint32_t>(tokens.size()), expected);
    });
    const std::span<const float> expected = reference_.step(tokens[t]);
    const std::size_t skipped = tokens.size() - logits.size();
    if (t < skipped) continue;
    compare_logits(logits[t - skipped], expected, reference_.position() - 1);
  }
}

void Checker::compare_encoded(std::span<const std::byte> rows, std::span<const std::vector<float>> logits) {
  const model::Value& input = model_.graph().values[model_.graph().input()];
  const auto count = static_cast<std::uint32_t>(rows.size() / row_bytes(input.format, input.cols));
  reference_.set_tap([&](const model::Operator& op, std::uint32_t row, std::span<const float> expected) {
    compare_operator(op, row, count, expected);
  });
  const std::vector<std::vector<float>> expected = reference_.encode(rows);
  const std::size_t skipped = count - logits.size();
  for (std::size_t r = skipped; r < count; ++r)
    compare_logits(logits[r - skipped], expected[r], static_cast<std::uint32_t>(r));
}

void Checker::compare_logits(std::span<const float> logits, std::span<const float> expected,
                             std::uint32_t position) const {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (same_bits(logits[i], expected[i])) continue;
    fail(model_.graph().operators.back(), position, i, logits[i], expected[i]);
  }
}

void Checker::compare_operator(const model::Operator& op, std::uint32_t token, std::uint32_t tokens,
                               std::span<const float> expected) const {
  const auto index = static_cast<std::uint32_t>(&op - model_.graph().operators.data());
  for (const Captured& c : captured_) {
    // The head's operators may run for the last token only: an operator's rows are those of the last tokens.
    const std::uint32_t skipped = tokens - c.tap.rows;
    if (c.tap.operator_index != index || token < skipped) continue;
    for (std::uint32_t i = 0; i < c.tap.cols; ++i) {
      const float value = c.values[std::size_t{token - skipped} * c.tap.cols + i];
      const float wanted = expected[c.tap.first_col + i];
      if (!same_bits(value, wanted)) fail(op, reference_.position(), c.tap.first_col + i, value, wanted);
    }
  }
}

void Checker::fail(const model::Operator& op, std::uint32_t position, std::size_t index, float machine,
                   float reference) const {
  model_.file().check_whole();  // else weights may differ that are the same
  const std::string place = op.layer < 0 ? "" : fmt::format("layer {}, ", op.layer);
  throw CheckError(
      fmt::format("the machine differs from the reference first at position {}, {}operator {}, index {}: {} "
                  "(0x{:08x}) instead "
                  "of {} (0x{:08x}). This is a fault in the simulator or its compiler; please report it with "
                  "this command",
                  position, place, op.name, index, machine, std::bit_cast<std::uint32_t>(machine), reference,
                  std::bit_cast<std::uint32_t>(reference)));
}

}  // namespace tokencycle::host
