// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace tokencycle::test {

using compiler::Step;
using compiler::Tap;

config::Machine make_machine(const MachineShape& shape) {
  config::Machine m;
  m.name = to_string(shape);
  m.matrix.rows = shape.rows;
  m.matrix.columns = shape.columns;
  m.matrix.group_buffer_rows = shape.group_buffer_rows;
  m.matrix.cycles_per_row.fill(1);
  m.dispatch.queue_depth = shape.queue_depth;
  m.scratchpad.capacity_bytes = shape.scratchpad_kib * 1024;
  m.accumulator.capacity_bytes = shape.accumulator_kib * 1024;
  m.dram.capacity_bytes = shape.dram_bytes;
  return m;
}

std::string to_string(const MachineShape& s) {
  return fmt::format("{}x{} scratchpad {} KiB accumulator {} KiB", s.rows, s.columns, s.scratchpad_kib,
                     s.accumulator_kib);
}

CompilerSession::CompilerSession(const model::LlamaModel& model, const config::Machine& machine,
                                 const compiler::Options& options)
    : model_(model),
      compiler_(model, machine, options),
      interpreter_(compiler_.layout().end, machine.scratchpad.capacity_bytes,
                   machine.accumulator.capacity_bytes) {
  for (std::uint32_t s = 0; s < options.sequences; ++s) references_.emplace_back(model, options.kv_format);
  const auto put = [this](DramAddress at, std::span<const std::byte> bytes) {
    std::copy(bytes.begin(), bytes.end(), interpreter_.dram.begin() + static_cast<std::ptrdiff_t>(at.value));
  };
  put(compiler_.layout().weights, model.file().tensor_data());
  for (const auto& [constant, table] : model.graph().rotary_tables) {
    const std::span<const float> rows(model.rotary_table(constant));
    put(compiler_.layout().values[constant],
        std::as_bytes(rows).first(std::size_t{compiler_.context()} * model.graph().values[constant].cols *
                                  4));
  }
}

void CompilerSession::differ(const std::string& what) {
  if (difference_.empty()) difference_ = what;
}

void CompilerSession::write_step(const Step& step, std::span<const std::uint32_t> tokens) {
  const compiler::DramLayout& l = compiler_.layout();
  const auto to = [this](DramAddress at) { return interpreter_.dram.data() + at.value; };
  std::memcpy(to(l.token_ids), tokens.data(), tokens.size_bytes());
  std::memset(to(l.logits), 0xa5, std::size_t{step.tokens()} * model_.shape().vocabulary * 4);
  const std::size_t bytes = last_.program.words.size() * isa::kWordBytes;
  if (bytes > l.program_bytes) differ("the program exceeds its room");
  // Whatever earlier steps left in local memory must not matter.
  std::fill(interpreter_.scratchpad.begin(), interpreter_.scratchpad.end(), std::byte{0xff});
  std::fill(interpreter_.accumulator.begin(), interpreter_.accumulator.end(), std::byte{0xff});
}

std::string CompilerSession::step(std::span<const std::uint32_t> tokens, bool all_logits, bool want_logits) {
  const auto rows = static_cast<std::uint32_t>(tokens.size());
  return shared_step({{0, {tokens.begin(), tokens.end()}}}, !want_logits ? 0 : all_logits ? rows : 1);
}

void CompilerSession::evaluate_alone(const std::vector<Part>& parts) {
  const std::vector<model::Operator>& operators = model_.graph().operators;
  expected_.clear();
  for (const Part& part : parts) {
    model::Reference& reference = references_[part.sequence];
    for (const std::uint32_t token : part.tokens) {
      expected_.emplace_back(operators.size());
      reference.set_tap([&](const model::Operator& op, std::uint32_t, std::span<const float> result) {
        const auto index = static_cast<std::size_t>(&op - operators.data());
        expected_.back()[index].assign(result.begin(), result.end());
      });
      reference.step(token);
    }
  }
}

std::string CompilerSession::shared_step(const std::vector<Part>& parts, std::uint32_t outputs) {
  Step step{{}, outputs};
  std::vector<std::uint32_t> tokens;
  for (const Part& part : parts) {
    step.segments.push_back({part.sequence, references_[part.sequence].position(),
                             static_cast<std::uint32_t>(part.tokens.size())});
    tokens.insert(tokens.end(), part.tokens.begin(), part.tokens.end());
  }
  difference_.clear();
  covered_.assign(model_.graph().operators.size(), 0);
  last_ = compiler_.compile(step);
  evaluate_alone(parts);
  write_step(step, tokens);
  seen_.assign(last_.taps.size(), {});
  interpreter_.run(last_.program.words, [&](std::uint32_t word) {
    for (std::size_t i = 0; i < last_.taps.size(); ++i) {
      if (last_.taps[i].after == word) seen_[i] = values_at(last_.taps[i]);
    }
  });
  for (std::size_t i = 0; i < last_.taps.size(); ++i) compare_tap(last_.taps[i], seen_[i]);
  compare_coverage(step);
  compare_logits(step);
  return difference_;
}

std::vector<float> CompilerSession::values_at(const Tap& tap) const {
  const std::vector<std::byte>& memory =
      tap.address.in_accumulator() ? interpreter_.accumulator : interpreter_.scratchpad;
  std::vector<float> values(std::size_t{tap.rows} * tap.cols);
  for (std::uint32_t r = 0; r < tap.rows; ++r) {
    std::memcpy(values.data() + std::size_t{r} * tap.cols,
                memory.data() + tap.address.byte() + std::size_t{r} * tap.row_bytes,
                std::size_t{tap.cols} * 4);
  }
  return values;
}

void CompilerSession::compare_tap(const Tap& tap, const std::vector<float>& values) {
  const model::Operator& op = model_.graph().operators[tap.operator_index];
  if (values.empty()) return;  // never shown: the coverage says so
  for (std::uint32_t r = 0; r < tap.rows; ++r) {
    const std::uint32_t row = tap.first_row + r;
    for (std::uint32_t c = 0; c < tap.cols; ++c) {
      const float value = values[std::size_t{r} * tap.cols + c];
      const float wanted = expected_[row][tap.operator_index].at(tap.first_col + c);
      if (std::bit_cast<std::uint32_t>(value) == std::bit_cast<std::uint32_t>(wanted)) continue;
      differ(fmt::format("{}: row {} of the step, column {}: {} instead of {}", op.name, row,
                         tap.first_col + c, value, wanted));
    }
  }
  covered_[tap.operator_index] += std::uint64_t{tap.rows} * tap.cols;
}

// Every operator's whole result was seen once.
void CompilerSession::compare_coverage(const Step& step) {
  for (std::size_t i = 0; i < model_.graph().operators.size(); ++i) {
    const model::Operator& op = model_.graph().operators[i];
    const bool head =
        op.output != model::kNoValue && model_.graph().values[op.output].rows == model::RowsOf::outputs;
    const std::uint64_t rows = head ? step.outputs : step.tokens();
    if (covered_[i] == rows * op.output_columns) continue;
    differ(
        fmt::format("{}: taps show {} values instead of {}", op.name, covered_[i], rows * op.output_columns));
  }
}

void CompilerSession::compare_logits(const Step& step) {
  const std::uint32_t vocabulary = model_.shape().vocabulary;
  for (std::uint32_t r = 0; r < step.outputs; ++r) {
    const std::vector<float>& wanted = expected_[step.tokens() - step.outputs + r].back();
    const std::byte* got =
        interpreter_.dram.data() + compiler_.layout().logits.value + std::size_t{r} * vocabulary * 4;
    if (std::memcmp(got, wanted.data(), std::size_t{vocabulary} * 4) != 0) {
      differ(fmt::format("logits of output row {} differ", r));
    }
  }
}

}  // namespace tokencycle::test
