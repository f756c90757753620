// SPDX-License-Identifier: Apache-2.0
// Traces as tables: the file around a table's rows, token by token.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "observe/csv/table.h"
#include "observe/trace_file.h"

namespace tokencycle::observe {

namespace {

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
    } catch (const IoError&) {  // it cannot be reported any more, and nothing was left
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
  void discard() override { file_.discard(); }
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
    const bool full = table_->full();
    const std::string rows = table_->rows(*token_);
    const Cycle start = token_->start;
    token_.reset();
    if (truncated_at_ != kNever) return;
    if (!full && file_.has_room(rows.size() + kReserve)) {
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
  std::optional<TokenSpan> token_;  // whose steps have ended; it may continue
  Cycle last_;
  std::uint64_t rows_ = 0;
  Cycle truncated_at_ = kNever;
};

}  // namespace

std::unique_ptr<TraceWriter> make_csv_trace(const TraceOptions& options) {
  std::string name = options.path.filename().string();
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  auto table = name.ends_with(".tokens.csv")         ? make_token_table()
               : name.ends_with(".instructions.csv") ? make_instruction_table(options)
                                                     : make_operator_table(options);
  return std::make_unique<CsvTrace>(options, std::move(table));
}

}  // namespace tokencycle::observe
