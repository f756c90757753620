// SPDX-License-Identifier: Apache-2.0
#include "observe/waves/trace.h"

#include <fmt/format.h>

#include <algorithm>

namespace tokencycle::observe {

WaveTrace::WaveTrace(const TraceOptions& options, std::string_view format, MakeSink make_sink)
    : path_(options.path),
      format_(format),
      signals_(*options.machine),
      gate_(options.window),
      sink_(make_sink(options, signals_.signals())) {}

WaveTrace::~WaveTrace() {
  if (finished_) return;
  try {
    close(now_ + 1, "interrupted");
  } catch (...) {  // an open trace is destroyed on the way out with another error
  }
}

void WaveTrace::begin_step(const TraceStep& step) {
  if (finished_) return;
  if (!started_) now_ = step.start;
  started_ = true;
  advance(step.start);
  gate_.begin_step(step);
  signals_.begin_step(step);
}

void WaveTrace::end_step(Cycle end) {
  if (finished_) return;
  advance(end);
  gate_.end_step(end);
  signals_.end_step();
}

void WaveTrace::on_event(const Event& event) {
  if (finished_) return;
  if (event.cycle > now_) advance(event.cycle);
  gate_.on_event(event);
  signals_.on_event(event);
}

// Signals change without events at some of the cycles up to `next`.
void WaveTrace::advance(Cycle next) {
  if (next <= now_) return;
  for (Cycle change; (change = signals_.next_change()) < next;) {
    pass(change);
    signals_.go_to(change);
  }
  pass(next);
  signals_.go_to(next);
}

// The cycle now_ is over, and nothing happens between it and `next`. The window may have begun with it, or
// begin before `next`.
void WaveTrace::pass(Cycle next) {
  if (open_ && !gate_.contains(now_)) leave();
  const Cycle entry = std::max(now_, gate_.begin());
  if (open_) {
    signals_.take_changes(changes_);
    write(now_);
  } else if (entry < next && gate_.contains(entry)) {
    enter(entry);
  }
  now_ = next;
}

// The file's first values are those of all signals; behind a gap it needs those that have changed.
void WaveTrace::enter(Cycle begin) {
  signals_.set_mark("recording");
  opened_ ? signals_.take_changes(changes_) : signals_.take_all(changes_);
  open_ = opened_ = true;
  write(begin);
}

void WaveTrace::write(Cycle time) {
  if (finished_ || changes_.empty()) return;
  if (sink_->write(time, changes_)) {
    entries_ += changes_.size();
    written_ = time;
    return;
  }
  truncated_at_ = time;
  finish(time, fmt::format("truncated at cycle {}", time.value));
}

void WaveTrace::leave() {
  open_ = false;
  signals_.set_mark("outside the window");
  signals_.take_mark(changes_);
  write(std::max(written_ + 1, std::min(now_, gate_.end())));
}

void WaveTrace::finish(Cycle end, const std::string& mark) {
  finished_ = true;
  changes_.clear();
  if (!mark.empty()) {
    signals_.set_mark(std::string_view(mark).substr(0, WaveSink::kLongestMark));
    signals_.take_mark(changes_);
  }
  entries_ += changes_.size();
  sink_->finish(std::max(end, written_), changes_);
}

// A file whose window is over is complete, however the run ends.
void WaveTrace::close(Cycle end, const std::string& cut) {
  if (finished_) return;
  advance(end);
  if (finished_) return;
  if (open_ && !gate_.contains(end) && gate_.end() < end) leave();
  if (finished_) return;
  if (!opened_) {
    signals_.set_mark(cut.empty() ? "the window was not reached" : cut.substr(0, WaveSink::kLongestMark));
    signals_.take_all(changes_);
    write(end);
    if (!finished_) finish(end, "");
  } else if (open_) {
    finish(end, cut.empty() ? "end" : cut);
  } else {
    finish(written_, "");
  }
}

TraceSummary WaveTrace::summary() const {
  return {path_, format_, sink_->bytes(), entries_, truncated_at_};
}

std::vector<std::string> wave_comments(const std::string& title) {
  return {title, "1 ns is one cycle of the machine's clock",
          "a signal shows its last value in a cycle; of DRAM commands the counter has all"};
}

std::unique_ptr<TraceWriter> make_vcd_trace(const TraceOptions& options) {
  return std::make_unique<WaveTrace>(options, "vcd", make_vcd_sink);
}

std::unique_ptr<TraceWriter> make_fst_trace(const TraceOptions& options) {
  return std::make_unique<WaveTrace>(options, "fst", make_fst_sink);
}

}  // namespace tokencycle::observe
