// SPDX-License-Identifier: Apache-2.0
// The Perfetto writer: window, cap and end. Every slice is written when it is over, so nothing in the file is
// ever open; at the cap, what is going on is cut and there is room for it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "observe/perfetto/counters.h"
#include "observe/perfetto/timeline.h"
#include "observe/perfetto/units.h"
#include "observe/trace.h"

namespace tokencycle::observe {

namespace {

constexpr std::size_t kLongestMark = 200;
constexpr std::uint64_t kMarksBound = 2 * (PerfettoTrack::kInstantBound + kLongestMark);

std::string description(const config::Machine& machine) {
  return fmt::format("1 ns here is 1 cycle of the machine's clock ({} GHz)", machine.clock_ghz);
}

class PerfettoTrace final : public TraceWriter {
 public:
  explicit PerfettoTrace(const TraceOptions& options)
      : gate_(options.window),
        follows_stages_(options.level >= 2 || options.window.kind == TraceWindow::Kind::operators),
        file_(options.path, options.max_bytes),
        root_(file_, {options.title, 0, 0, description(*options.machine)}),
        timeline_(file_, names_, root_.id()),
        counters_(file_, root_.id(), 3, options.machine->clock_ghz, options.counter_interval) {
    if (options.level < 2) return;
    units_.emplace(file_, names_, root_.id(), 3 + static_cast<std::uint32_t>(PerfettoCounters::kCounters),
                   UnitList(*options.machine));
  }
  ~PerfettoTrace() override {
    if (!file_.file().is_open()) return;
    try {
      close(last_, "interrupted");
    } catch (const IoError&) {  // it cannot be reported any more, and nothing was left
    }
  }

  std::uint32_t interests() const override {
    const std::uint32_t level_1 = kinds({EventKind::unit_state, EventKind::burst_done});
    return follows_stages_ ? level_1 | kinds({EventKind::instruction}) : level_1;
  }

  void on_event(const Event& event) override {
    if (stopped_) return;
    last_ = event.cycle;
    if (counters_.due(event.cycle)) {
      if (!room(event.cycle)) return;
      counters_.close_intervals(event.cycle, gate_);
    }
    const bool closed = gate_.on_event(event);
    counters_.on_event(event);
    if (!units_ || event.kind == EventKind::burst_done || !room(event.cycle)) return;
    if (closed) units_->settle(event.cycle, gate_);
    units_->on_event(event, gate_);
  }

  void on_retired(const InstructionRecord& record) override {
    if (stopped_) return;
    timeline_.on_retired(record);
    if (units_ && room(record.written_back)) units_->on_retired(record, gate_);
  }

  void begin_step(const TraceStep& step) override {
    if (stopped_) return;
    last_ = start_ = step.start;
    gate_.begin_step(step);
    timeline_bound_ = PerfettoTimeline::bound(step);
    if (!room(step.start)) return;
    in_step_ = true;
    counters_.begin(step.start);
    timeline_.begin_step(step);
    if (units_) units_->begin_step(step);
  }

  void end_step(Cycle end) override {
    if (stopped_) return;
    last_ = end;
    if (!room(end)) return;
    if (counters_.due(end)) counters_.close_intervals(end, gate_);
    end_timeline(end, PerfettoTimeline::Ending::complete);
    gate_.end_step(end);
  }

  void close(Cycle end, const std::string& cut) override {
    end = std::max(end, last_);
    if (!stopped_) finish(end);
    if (!cut.empty()) root_.instant(end, cut.substr(0, kLongestMark));
    stopped_ = true;
    file_.file().commit();
  }

  void discard() override { file_.file().discard(); }

  TraceSummary summary() const override {
    return {file_.file().path(), "perfetto", file_.file().bytes(), file_.slices(), truncated_at_};
  }

 private:
  // Whether something may be written at `now` and there is still room for the end. If not, this is the end.
  bool room(Cycle now) {
    const std::uint64_t units = units_ ? units_->bound() : 0;
    const std::uint64_t reserve = kMarksBound + PerfettoCounters::kBound + timeline_bound_ + units;
    if (file_.file().has_room(reserve + PerfettoCounters::kBound + units)) return true;
    finish(now);
    truncated_at_ = now;
    root_.instant(now, fmt::format("truncated at cycle {}: the cap of {} bytes was reached",
                                   with_separators(now.value), with_separators(file_.file().max_bytes())));
    stopped_ = true;
    return false;
  }

  void end_timeline(Cycle end, PerfettoTimeline::Ending ending) {
    in_step_ = false;
    timeline_.end_step(end, gate_.touches(start_, end) ? ending : PerfettoTimeline::Ending::unwanted);
  }

  // What is going on ends at `end`.
  void finish(Cycle end) {
    if (units_) units_->finish(end, gate_);
    if (in_step_) end_timeline(end, PerfettoTimeline::Ending::cut);
    timeline_.end_token();
    counters_.finish(end, gate_);
  }

  WindowGate gate_;
  bool follows_stages_;
  PerfettoNames names_;
  PerfettoFile file_;
  PerfettoTrack root_;
  PerfettoTimeline timeline_;
  PerfettoCounters counters_;
  std::optional<PerfettoUnits> units_;
  std::uint64_t timeline_bound_ = 0;
  Cycle start_, last_;  // of the step, of the last event
  bool in_step_ = false;
  bool stopped_ = false;  // nothing more is written
  Cycle truncated_at_ = kNever;
};

}  // namespace

std::unique_ptr<TraceWriter> make_perfetto_trace(const TraceOptions& options) {
  return std::make_unique<PerfettoTrace>(options);
}

}  // namespace tokencycle::observe
