// SPDX-License-Identifier: Apache-2.0
// Traces as tables: a row a token, or a row an operator of a token.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "observe/cycle_stack.h"
#include "observe/operator_cycles.h"
#include "observe/token_span.h"
#include "observe/trace.h"
#include "observe/trace_file.h"

namespace tokencycle::observe {

namespace {

// RFC 4180: a field with a comma, a quote or a line's end stands in quotes.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

// What is counted over the steps of a token, and its rows.
class CsvTable {
 public:
  virtual ~CsvTable() = default;
  virtual std::string header() const = 0;
  virtual std::uint32_t interests() const = 0;
  virtual void on_event(const Event&) {}
  virtual void on_retired(const InstructionRecord&) {}
  virtual void begin_step(const TraceStep& step) = 0;
  // cut: in the middle of the step.
  virtual void end_step(Cycle end, bool wanted, bool cut) = 0;
  // Complete lines of a token whose last step has ended; then it is forgotten.
  virtual std::string rows(const TokenSpan& token) = 0;
};

class TokenTable final : public CsvTable {
 public:
  std::string header() const override {
    std::string line = "index,phase,tokens,start,end,cycles";
    for (int c = 0; c < kCauses; ++c) line += fmt::format(",{}", name_of(static_cast<Cause>(c)));
    return line + '\n';
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
    for (std::size_t c = 0; c < sum_.size(); ++c) sum_[c] += step[c];
  }
  std::string rows(const TokenSpan& t) override {
    std::string line = fmt::format("{},{},{},{},{},{}", t.number, csv_field(t.phase), t.tokens, t.start.value,
                                   t.end.value, t.end.value - t.start.value);
    for (const std::uint64_t cycles : std::exchange(sum_, Stack{})) line += fmt::format(",{}", cycles);
    return line + '\n';
  }

 private:
  std::optional<CycleStack> counting_;
  Stack sum_{};
};

class OperatorTable final : public CsvTable {
 public:
  explicit OperatorTable(const TraceWindow& window) : window_(window) {}
  std::string header() const override { return "token,layer,name,cycles,instructions\n"; }
  std::uint32_t interests() const override { return kinds({}); }
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
      rows_[first_ + i].use.cycles += uses[i].cycles;
      rows_[first_ + i].use.instructions += uses[i].instructions;
    }
  }
  std::string rows(const TokenSpan& t) override {
    std::string lines;
    for (const Row& r : rows_) {
      if (!window_.has_operator(r.name.name)) continue;
      const std::string layer = r.name.layer < 0 ? "" : fmt::format("{}", r.name.layer);
      lines += fmt::format("{},{},{},{},{}\n", t.number, layer, csv_field(r.name.name), r.use.cycles,
                           r.use.instructions);
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
  OperatorCycles counting_;
  std::vector<isa::OperatorName> step_;
  std::vector<Row> rows_;  // of the token
  std::size_t first_ = 0;  // of the step's operators
};

class CsvTrace final : public TraceWriter {
 public:
  CsvTrace(const TraceOptions& options, std::unique_ptr<CsvTable> table)
      : table_(std::move(table)), gate_(options.window), file_(options.path, options.max_bytes) {
    file_.write(table_->header());
  }
  ~CsvTrace() override {
    if (!file_.is_open()) return;
    try {
      close(last_, "interrupted");
    } catch (const IoError&) {  // it cannot be told any more, and nothing was left
    }
  }

  std::uint32_t interests() const override { return table_->interests(); }
  void on_event(const Event& event) override {
    last_ = event.cycle;
    table_->on_event(event);
  }
  void on_retired(const InstructionRecord& record) override {
    last_ = std::max(last_, record.written_back);
    table_->on_retired(record);
  }

  void begin_step(const TraceStep& step) override {
    last_ = step.start;
    gate_.begin_step(step);
    table_->begin_step(step);
    step_ = TokenSpan::of(step);
  }
  void end_step(Cycle end) override { end_step(end, false); }
  void close(Cycle end, const std::string& cut) override {
    end = std::max(end, last_);
    if (step_) end_step(end, true);
    write_token();
    if (!cut.empty()) write_mark(cut);
    file_.commit();
  }
  TraceSummary summary() const override { return {file_.path(), "csv", file_.bytes(), rows_, truncated_at_}; }

 private:
  static constexpr std::size_t kLongestMark = 200;
  static constexpr std::uint64_t kReserve = 2 * (kLongestMark + 3);

  void end_step(Cycle end, bool cut) {
    last_ = end;
    TokenSpan step = *step_;
    step_.reset();
    step.end = end;
    const bool wanted = gate_.touches(step.start, end);
    if (token_ && !(wanted && token_->goes_on_with(step))) write_token();
    table_->end_step(end, wanted, cut);
    gate_.end_step(end);
    if (!wanted) return;
    if (token_) {
      token_->add(step);
    } else {
      token_ = step;
    }
  }

  void write_token() {
    if (!token_) return;
    const std::string rows = table_->rows(*token_);
    const Cycle start = token_->start;
    token_.reset();
    if (truncated_at_ != kNever) return;
    if (file_.has_room(rows.size() + kReserve)) {
      file_.write(rows);
      rows_ += static_cast<std::uint64_t>(std::count(rows.begin(), rows.end(), '\n'));
      return;
    }
    truncated_at_ = start;
    write_mark(fmt::format("truncated at cycle {}: the cap of {} bytes was reached",
                           with_separators(start.value), with_separators(file_.max_bytes())));
  }
  void write_mark(const std::string& text) { file_.write("# " + text.substr(0, kLongestMark) + '\n'); }

  std::unique_ptr<CsvTable> table_;
  WindowGate gate_;
  TraceFile file_;
  std::optional<TokenSpan> step_;   // that is going on
  std::optional<TokenSpan> token_;  // whose steps have ended; it may go on
  Cycle last_;
  std::uint64_t rows_ = 0;
  Cycle truncated_at_ = kNever;
};

}  // namespace

std::unique_ptr<TraceWriter> make_csv_trace(const TraceOptions& options) {
  std::string name = options.path.filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (name.ends_with(".tokens.csv")) {
    return std::make_unique<CsvTrace>(options, std::make_unique<TokenTable>());
  }
  return std::make_unique<CsvTrace>(options, std::make_unique<OperatorTable>(options.window));
}

}  // namespace tokencycle::observe
