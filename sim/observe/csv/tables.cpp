// SPDX-License-Identifier: Apache-2.0
// The tables of tokens and of operators.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "observe/analysis/operator_cycles.h"
#include "observe/csv/table.h"

namespace tokencycle::observe {

namespace {

class TokenTable final : public CsvTable {
 public:
  std::string header() const override {
    return "index,phase,tokens,start,end,cycles" + csv_cause_names() + '\n';
  }
  std::uint32_t interests() const override { return kinds({EventKind::unit_state}); }
  void on_event(const Event& event) override {
    if (counting_) counting_->on_event(event);
  }
  void begin_step(const TraceStep& step) override {
    if (!counting_) counting_.emplace(step.start);
  }
  void end_step(Cycle end, bool wanted, bool) override {
    const Stack step = counting_->take(end);
    if (!wanted) return;
    add_to(sum_, step);
  }
  std::string rows(const TokenSpan& t) override {
    return fmt::format("{},{},{},{},{},{}{}\n", t.number, csv_field(t.phase), t.tokens, t.start.value,
                       t.end.value, t.end.value - t.start.value, csv_causes(std::exchange(sum_, Stack{})));
  }

 private:
  std::optional<CycleStack> counting_;
  Stack sum_{};
};

class OperatorTable final : public CsvTable {
 public:
  explicit OperatorTable(const TraceOptions& options)
      : window_(options.window), counting_(&causes_, peak_dram_bytes(options)) {}
  std::string header() const override {
    return "token,layer,name,cycles,instructions,critical,span_cycles,loaded_bytes,stored_bytes,"
           "multiply_accumulates,vector_elements" +
           csv_cause_names() + '\n';
  }
  std::uint32_t interests() const override { return kinds({EventKind::unit_state}); }
  void on_event(const Event& event) override { causes_.on_event(event); }
  void on_retired(const InstructionRecord& record) override { counting_.on_retired(record); }
  void begin_step(const TraceStep& step) override {
    counting_.begin(*step.program, step.start);
    step_ = step.program->operators;
  }
  // The steps of a token have the same operators; if not, the others' follow.
  void end_step(Cycle end, bool wanted, bool cut) override {
    std::vector<OperatorUse> uses = counting_.take(end);
    if (!wanted) return;
    if (cut) give_rest_to_last_worker(uses);
    const auto same = [](const Row& row, const isa::OperatorName& name) { return row.name == name; };
    if (!std::equal(rows_.begin() + static_cast<std::ptrdiff_t>(first_), rows_.end(), step_.begin(),
                    step_.end(), same)) {
      first_ = rows_.size();
      for (const isa::OperatorName& name : step_) rows_.push_back({name, {}});
    }
    for (std::size_t i = 0; i < uses.size(); ++i) {
      rows_[first_ + i].use.add(uses[i]);
    }
  }
  std::string rows(const TokenSpan& t) override {
    std::string lines;
    for (const Row& r : rows_) {
      if (!window_.has_operator(r.name.name)) continue;
      const OperatorUse& u = r.use;
      const std::optional<Cause> critical = largest(u.stack);
      lines += fmt::format(
          "{},{},{},{},{},{},{},{},{},{},{}{}\n", t.number, csv_layer(r.name.layer), csv_field(r.name.name),
          u.cycles, u.instructions, critical ? name_of(*critical) : "", u.span_cycles, u.work.loaded_bytes,
          u.work.stored_bytes, u.work.multiply_accumulates, u.work.vector_elements, csv_causes(u.stack));
    }
    rows_.clear();
    first_ = 0;
    return lines;
  }

 private:
  struct Row {
    isa::OperatorName name;
    OperatorUse use;
  };
  TraceWindow window_;
  CycleStack causes_{Cycle{}};
  OperatorCycles counting_;
  std::vector<isa::OperatorName> step_;
  std::vector<Row> rows_;  // of the token
  std::size_t first_ = 0;  // of the step's operators
};

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string csv_layer(int layer) {
  return layer < 0 ? "" : fmt::format("{}", layer);
}

std::string csv_cause_names() {
  std::string names;
  for (int c = 0; c < kCauses; ++c) names += fmt::format(",{}", name_of(static_cast<Cause>(c)));
  return names;
}

std::string csv_causes(const Stack& stack) {
  return fmt::format(",{}", fmt::join(stack, ","));
}

double peak_dram_bytes(const TraceOptions& options) {
  return options.machine == nullptr ? 0 : options.machine->peak_dram_gb_per_s() / options.machine->clock_ghz;
}

std::unique_ptr<CsvTable> make_token_table() {
  return std::make_unique<TokenTable>();
}
std::unique_ptr<CsvTable> make_operator_table(const TraceOptions& options) {
  return std::make_unique<OperatorTable>(options);
}

}  // namespace tokencycle::observe
