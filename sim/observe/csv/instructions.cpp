// SPDX-License-Identifier: Apache-2.0
// The table of instructions: six cycles each, and its share of its operator's time.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "observe/analysis/operator_cycles.h"
#include "observe/csv/table.h"

namespace tokencycle::observe {

namespace {

// Rows in the window are kept until their step ends, because only then it is known which shares earlier
// operators void; no more of them than the shortest rows that the file's cap allows.
class InstructionTable final : public CsvTable {
 public:
  explicit InstructionTable(const TraceOptions& options)
      : window_(options.window),
        most_rows_(options.max_bytes / kLeastRowBytes),
        counting_(&causes_, peak_dram_bytes(options)) {}
  std::string header() const override {
    return "token,layer,operator,word,instruction,fetched,decoded,dispatched,started,finished,written_back,"
           "cycles" +
           csv_cause_names() + '\n';
  }
  std::uint32_t interests() const override { return kinds({EventKind::unit_state}); }
  void on_event(const Event& event) override { causes_.on_event(event); }
  void on_retired(const InstructionRecord& record) override {
    counting_.on_retired(record);
    const OperatorCycles::Share* share = counting_.last_share();
    const Row row{record, share != nullptr ? *share : OperatorCycles::Share{kNone, 0, {}}};
    kept_last_ = in_window(row) && !full();
    if (kept_last_) rows_.push_back(row);
    if (rows_.size() + written_ > most_rows_) full_ = true;
  }
  bool full() const override { return full_; }
  void begin_step(const TraceStep& step) override {
    counting_.begin(*step.program, step.start);
    operators_ = step.program->operators;
    token_ = step.token;
    start_ = step.start;
  }
  void end_step(Cycle end, bool wanted, bool) override {
    settle_shares(counting_.take(end));
    std::sort(rows_.begin(), rows_.end(),
              [](const Row& a, const Row& b) { return a.record.sequence < b.record.sequence; });
    for (const Row& row : rows_) {
      if (wanted && !full_) append(row);
    }
    if (wanted) written_ += rows_.size();
    rows_.clear();
    kept_last_ = false;
    if (!wanted) full_ = false;
  }
  std::string rows(const TokenSpan&) override {
    written_ = 0;
    full_ = false;
    return std::exchange(lines_, {});
  }

 private:
  static constexpr std::uint32_t kNone = ~0u;
  static constexpr std::size_t kLeastRowBytes =
      2 * std::size_t{12 + kCauses};  // a character and a comma a field
  struct Row {
    InstructionRecord record;
    OperatorCycles::Share share;  // operator_id kNone: its word belongs to no operator
  };

  // Shares of cycles that belong to earlier operators are void. What follows the last retirement is a share
  // of its instruction, the halt, for the last operator.
  void settle_shares(const std::vector<OperatorUse>& uses) {
    std::vector<Cycle> begins;
    for (Cycle at = start_; const OperatorUse& use : uses) {
      begins.push_back(at);
      at += Cycle(use.cycles);
    }
    for (Row& row : rows_) {
      if (row.share.operator_id == kNone || row.record.written_back > begins[row.share.operator_id]) continue;
      row.share.cycles = 0;
      row.share.stack = {};
    }
    if (!kept_last_ || uses.empty()) return;
    OperatorCycles::Share& last = rows_.back().share;
    if (last.operator_id == kNone) last.operator_id = static_cast<std::uint32_t>(uses.size() - 1);
    last.cycles += counting_.rest().cycles;
    add_to(last.stack, counting_.rest().stack);
  }

  bool in_window(const Row& row) const {
    const InstructionRecord& r = row.record;
    if (window_.kind == TraceWindow::Kind::cycles) {
      return r.decoded.value < window_.last && r.written_back.value >= window_.first;
    }
    if (window_.kind == TraceWindow::Kind::tokens) return window_.has_token(token_);
    if (window_.kind != TraceWindow::Kind::operators) return true;
    return row.share.operator_id != kNone && window_.has_operator(operators_[row.share.operator_id].name);
  }

  void append(const Row& row) {
    const InstructionRecord& r = row.record;
    const bool named = row.share.operator_id != kNone;
    const isa::OperatorName name = named ? operators_[row.share.operator_id] : isa::OperatorName{};
    const bool executes = r.unit != isa::Unit::front_end;  // the others go through no unit
    const std::string stages =
        executes ? fmt::format("{},{},{}", r.dispatched.value, r.started.value, r.finished.value) : ",,";
    lines_ += fmt::format("{},{},{},{},{},{},{},{},{},{}{}\n", token_, csv_layer(name.layer),
                          csv_field(name.name), r.pc, isa::name_of(r.op), r.fetched.value, r.decoded.value,
                          stages, r.written_back.value, row.share.cycles, csv_causes(row.share.stack));
  }

  TraceWindow window_;
  const std::size_t most_rows_;
  CycleStack causes_{Cycle{}};
  OperatorCycles counting_;
  std::vector<isa::OperatorName> operators_;  // of the step
  std::uint32_t token_ = 0;
  Cycle start_;
  std::vector<Row> rows_;    // in order of retirement
  bool kept_last_ = false;   // the instruction that retired last is the last row
  std::size_t written_ = 0;  // of the token's earlier steps
  bool full_ = false;
  std::string lines_;
};

}  // namespace

std::unique_ptr<CsvTable> make_instruction_table(const TraceOptions& options) {
  return std::make_unique<InstructionTable>(options);
}

}  // namespace tokencycle::observe
