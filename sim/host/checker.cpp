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

Checker::Checker(const model::LlamaModel& model, Format kv_format, std::uint32_t sequences,
                 machine::Accelerator& accelerator)
    : model_(model), accelerator_(accelerator) {
  for (std::uint32_t s = 0; s < sequences; ++s) references_.emplace_back(model, kv_format);
}

void Checker::begin(const compiler::CompiledStep& step) {
  captured_.clear();
  captured_.reserve(step.taps.size());
  for (const compiler::Tap& tap : step.taps) {
    captured_.push_back({tap, std::vector<float>(std::size_t{tap.rows} * tap.cols)});
  }
}

void Checker::reset() {
  for (model::Reference& reference : references_) reference.reset();
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

void Checker::compare(std::span<const compiler::Segment> segments, std::span<const std::byte> input,
                      std::span<const std::vector<float>> logits) {
  if (model_.graph().bidirectional()) return compare_encoded(input, logits);
  std::vector<model::TokenId> tokens(input.size() / sizeof(model::TokenId));
  std::memcpy(tokens.data(), input.data(), input.size());
  const std::size_t skipped = tokens.size() - logits.size();
  Place place;
  for (const compiler::Segment& segment : segments) {
    model::Reference& reference = references_[segment.sequence];
    place.sequence = segment.sequence;
    for (std::uint32_t t = 0; t < segment.tokens; ++t, ++place.row) {
      place.position = reference.position();
      reference.set_tap([&](const model::Operator& op, std::uint32_t, std::span<const float> expected) {
        compare_operator(op, place, expected);
      });
      const std::span<const float> expected = reference.step(tokens[place.row]);
      if (place.row >= skipped) compare_logits(logits[place.row - skipped], expected, place);
    }
  }
}

void Checker::compare_encoded(std::span<const std::byte> rows, std::span<const std::vector<float>> logits) {
  const model::Value& input = model_.graph().values[model_.graph().input()];
  const auto count = static_cast<std::uint32_t>(rows.size() / row_bytes(input.format, input.cols));
  references_.front().set_tap(
      [&](const model::Operator& op, std::uint32_t row, std::span<const float> expected) {
        compare_operator(op, {row, 0, row}, expected);
      });
  const std::vector<std::vector<float>> expected = references_.front().encode(rows);
  const std::size_t skipped = count - logits.size();
  for (std::size_t r = skipped; r < count; ++r) {
    const auto row = static_cast<std::uint32_t>(r);
    compare_logits(logits[r - skipped], expected[r], {row, 0, row});
  }
}

void Checker::compare_logits(std::span<const float> logits, std::span<const float> expected,
                             const Place& place) const {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (same_bits(logits[i], expected[i])) continue;
    fail(model_.graph().operators.back(), place, i, logits[i], expected[i]);
  }
}

void Checker::compare_operator(const model::Operator& op, const Place& place,
                               std::span<const float> expected) const {
  const auto index = static_cast<std::uint32_t>(&op - model_.graph().operators.data());
  for (const Captured& c : captured_) {
    if (c.tap.operator_index != index || place.row - c.tap.first_row >= c.tap.rows) continue;
    for (std::uint32_t i = 0; i < c.tap.cols; ++i) {
      const float value = c.values[std::size_t{place.row - c.tap.first_row} * c.tap.cols + i];
      const float wanted = expected[c.tap.first_col + i];
      if (!same_bits(value, wanted)) fail(op, place, c.tap.first_col + i, value, wanted);
    }
  }
}

void Checker::fail(const model::Operator& op, const Place& place, std::size_t index, float machine,
                   float reference) const {
  model_.file().check_whole();  // else weights may differ that are the same
  const std::string layer = op.layer < 0 ? "" : fmt::format("layer {}, ", op.layer);
  const std::string sequence = references_.size() == 1 ? "" : fmt::format("sequence {}, ", place.sequence);
  throw CheckError(fmt::format(
      "the machine differs from the reference first at {}position {}, {}operator {}, index {}: {} "
      "(0x{:08x}) instead "
      "of {} (0x{:08x}). This is a fault in the simulator or its compiler; please report it with "
      "this command",
      sequence, place.position, layer, op.name, index, machine, std::bit_cast<std::uint32_t>(machine),
      reference, std::bit_cast<std::uint32_t>(reference)));
}

}  // namespace tokencycle::host
