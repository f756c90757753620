// SPDX-License-Identifier: Apache-2.0
#include "host/traces.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "observe/trace_file.h"

namespace tokencycle::host {

Traces::~Traces() {
  if (begun_) return;
  for (const auto& w : writers_) w->discard();
}

Traces::Traces(const TraceRequest& request, const std::string& title, const config::Machine& machine)
    : Traces() {  // from here on the destructor is called, whatever happens below
  observe::TraceOptions options;
  if (!request.window.empty()) options.window = observe::TraceWindow::parse(request.window);
  window_ = options.window;
  window_text_ = request.window;
  matched_ = window_.kind == observe::TraceWindow::Kind::whole_run;
  options.level = request.level.value_or(request.window.empty() ? 1 : 2);
  options.max_bytes = request.max_bytes;
  options.title = title;
  options.machine = &machine;
  for (const std::string& file : request.files) {
    options.path = file;
    for (const char* suffix : {"", ".hier"}) {  // the FST library has a second file
      temporaries_.push_back(std::make_unique<TemporaryFile>(observe::temporary_name(file).concat(suffix)));
    }
    writers_.push_back(observe::make_trace_writer(options));
  }
}

void Traces::subscribe(observe::EventHub& hub) {
  for (const auto& w : writers_) hub.subscribe(*w);
}
void Traces::begin_step(const observe::TraceStep& step) {
  begun_ = true;
  token_ = step.token;
  start_ = step.start;
  match(step);
  for (const auto& w : writers_) w->begin_step(step);
}
// Whether the step is in the window; cycles are looked at when it ends.
void Traces::match(const observe::TraceStep& step) {
  using Kind = observe::TraceWindow::Kind;
  if (matched_) return;
  if (window_.kind == Kind::tokens) matched_ = window_.has_token(step.token);
  if (window_.kind != Kind::operators) return;
  const auto& operators = step.program->operators;
  matched_ = std::any_of(operators.begin(), operators.end(),
                         [this](const isa::OperatorName& o) { return window_.has_operator(o.name); });
  if (matched_ || !operators_.empty()) return;
  for (const isa::OperatorName& o : operators) operators_.push_back(o.name);
}
void Traces::end_step(Cycle end) {
  if (window_.kind == observe::TraceWindow::Kind::cycles) {
    matched_ = matched_ || (window_.first < end.value && start_.value < window_.last);
  }
  end_ = end;
  for (const auto& w : writers_) w->end_step(end);
}
void Traces::close(Cycle end) {
  close(end, "");
}
void Traces::interrupt(Cycle end) {
  if (!closed_) close(end, fmt::format("interrupted at cycle {}", end.value));
}
void Traces::fail(Cycle end, std::string_view what) {
  if (closed_ || !begun_) return;
  try {
    close(end, fmt::format("ended at cycle {}: {}", end.value, what.substr(0, what.find('\n'))));
  } catch (const std::exception&) {  // the first error is reported, not what it led to
  }
}
void Traces::close(Cycle end, const std::string& cut) {
  closed_ = true;
  try {
    for (const auto& w : writers_) w->close(end, cut);
  } catch (...) {
    abandon();  // the others, while the step's program is there
    throw;
  }
}

std::string Traces::summary_text() const {
  std::string text;
  for (const auto& w : writers_) {
    const observe::TraceSummary s = w->summary();
    text += fmt::format("trace           {}: {}, {} entries, {}\n", s.path.string(), s.format,
                        with_separators(s.entries), bytes_text(s.bytes));
  }
  return text;
}

nlohmann::ordered_json Traces::summary_json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& w : writers_) {
    const observe::TraceSummary s = w->summary();
    const bool whole = s.truncated_at == kNever;
    list.push_back(
        {{"file", s.path.string()},
         {"format", std::string(s.format)},
         {"entries", s.entries},
         {"bytes", s.bytes},
         {"truncated_at", whole ? nlohmann::ordered_json() : nlohmann::ordered_json(s.truncated_at.value)}});
  }
  return list;
}

void Traces::refuse_empty_window() const {
  if (matched_) return;
  throw UsageError(fmt::format("--trace-window {}: nothing of this run is in it, so its traces are empty{}",
                               window_text_, window_remedy()));
}

std::string Traces::window_remedy() const {
  using Kind = observe::TraceWindow::Kind;
  if (window_.kind == Kind::tokens) return fmt::format("; its last token is number {}", token_);
  if (window_.kind == Kind::cycles) return fmt::format("; it ended in cycle {}", with_separators(end_.value));
  if (operators_.empty()) return "; the program names no operators";
  constexpr std::size_t kShown = 12;
  const std::size_t shown = std::min(operators_.size(), kShown);
  return fmt::format("; its operators are {}{}",
                     fmt::join(operators_.begin(), operators_.begin() + shown, ", "),
                     shown < operators_.size() ? " ..." : "");
}

std::vector<std::string> Traces::files() const {
  std::vector<std::string> files;
  files.reserve(writers_.size());
  for (const auto& w : writers_) files.push_back(w->summary().path.string());
  return files;
}

std::string Traces::warning() const {
  std::string text;
  for (const auto& w : writers_) {
    const observe::TraceSummary s = w->summary();
    if (s.truncated_at == kNever) continue;
    text += fmt::format(
        "tokencycle: {}: truncated at cycle {}; raise --trace-max-bytes or choose a --trace-window\n",
        s.path.string(), s.truncated_at.value);
  }
  return text;
}

}  // namespace tokencycle::host
