// SPDX-License-Identifier: Apache-2.0
// Example of a trace writer: one line per retired instruction, "CYCLE WORD".
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "observe/trace.h"
#include "observe/trace_file.h"

namespace tokencycle::observe {

namespace {

class RetiredTrace final : public TraceWriter {
 public:
  explicit RetiredTrace(const TraceOptions& options)
      : file_(options.path, options.max_bytes), gate_(options.window) {}
  ~RetiredTrace() override {
    if (!file_.is_open()) return;
    try {
      close(last_, "interrupted");
    } catch (const IoError&) {  // it cannot be reported any more, and nothing was left
    }
  }

  std::uint32_t interests() const override { return 0; }
  void on_event(const Event&) override {}
  void on_retired(const InstructionRecord& record) override {
    last_ = record.written_back;
    if (truncated_at_ != kNever) return;
    const std::string line = fmt::format("{} {}\n", last_.value, record.pc);
    if (file_.has_room(line.size() + kReserve)) {
      file_.write(line);
      ++lines_;
    } else {
      truncated_at_ = last_;
    }
  }
  void begin_step(const TraceStep& step) override { gate_.begin_step(step); }
  void end_step(Cycle end) override { gate_.end_step(end); }
  void close(Cycle, const std::string& cut) override {
    if (!cut.empty()) file_.write("# " + cut.substr(0, kReserve - 3) + '\n');
    file_.commit();
  }
  void discard() override { file_.discard(); }
  TraceSummary summary() const override {
    return {file_.path(), "retired", file_.bytes(), lines_, truncated_at_};
  }

 private:
  static constexpr std::size_t kReserve = 200;  // bytes of the mark at the end

  TraceFile file_;
  WindowGate gate_;
  Cycle last_, truncated_at_ = kNever;
  std::uint64_t lines_ = 0;
};

}  // namespace

std::unique_ptr<TraceWriter> make_retired_trace(const TraceOptions& options) {
  return std::make_unique<RetiredTrace>(options);
}

}  // namespace tokencycle::observe
