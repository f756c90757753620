// SPDX-License-Identifier: Apache-2.0
#include "observe/trace_window.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "observe/trace.h"

namespace tokencycle::observe {

namespace {

[[noreturn]] void refuse(const std::string& text, std::string_view why) {
  throw UsageError(fmt::format("--trace-window {}: {}; it is {}", text, why, kTraceWindowHelp));
}

std::uint64_t number(const std::string& text, std::string_view digits) {
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || rest != end || digits.empty()) {
    refuse(text, fmt::format("'{}' is not a whole number below 2^64", digits));
  }
  return value;
}

}  // namespace

TraceWindow TraceWindow::parse(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) refuse(text, "the kind and its ':' are missing");
  const std::string_view all = text, kind = all.substr(0, colon), what = all.substr(colon + 1);
  TraceWindow window;
  if (kind == "op") {
    if (what.empty()) refuse(text, "the operator's name is missing");
    window.kind = Kind::operators;
    window.pattern = what;
    return window;
  }
  if (kind != "token" && kind != "cycle") {
    static const std::vector<std::string> kKinds = {"token", "cycle", "op"};
    refuse(text, fmt::format("'{}' is no kind of window{}", kind, did_you_mean(kind, kKinds)));
  }
  window.kind = kind == "token" ? Kind::tokens : Kind::cycles;
  const std::size_t dots = what.find("..");
  window.first = number(text, what.substr(0, dots));
  if (dots == std::string_view::npos) {
    if (window.kind == Kind::cycles) refuse(text, "the second cycle is missing");
    window.last = window.first;
    return window;
  }
  window.last = number(text, what.substr(dots + 2));
  if (window.last < window.first || (window.kind == Kind::cycles && window.last == window.first)) {
    refuse(text, "there is nothing between its ends");
  }
  return window;
}

bool TraceWindow::has_token(std::uint32_t token) const {
  return kind != Kind::tokens || (first <= token && token <= last);
}

// After a mismatch the last * takes one letter more. Each letter of the name is looked at once for a *.
bool TraceWindow::has_operator(std::string_view name) const {
  if (kind != Kind::operators) return true;
  std::size_t at = 0, p = 0, star = std::string::npos, star_at = 0;
  while (at < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_at = at;
    } else if (p < pattern.size() && pattern[p] == name[at]) {
      ++p;
      ++at;
    } else if (star != std::string::npos) {
      p = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

WindowGate::WindowGate(TraceWindow window) : window_(std::move(window)) {
  if (window_.kind == TraceWindow::Kind::cycles) {
    begin_ = window_.first;
    length_ = window_.last - window_.first;
  } else if (window_.kind == TraceWindow::Kind::whole_run) {
    open(Cycle(0));
  }
}

void WindowGate::open(Cycle begin) {
  begin_ = begin.value;
  length_ = kNever.value;
}

void WindowGate::close(Cycle end) {
  if (length_ == kNever.value) length_ = end.value - begin_;
}

void WindowGate::begin_step(const TraceStep& step) {
  if (window_.kind == TraceWindow::Kind::tokens) {
    step_wanted_ = window_.has_token(step.token);
    if (step_wanted_ && length_ != kNever.value) open(step.start);
    if (!step_wanted_) close(step.start);
  }
  if (!by_operators_) return;
  in_flight_ = 0;
  step_wanted_ = false;
  words_.assign(step.program->words.size(), false);
  for (const isa::Section& s : step.program->sections) {
    if (!window_.has_operator(step.program->operators[s.operator_id].name)) continue;
    std::fill_n(words_.begin() + s.first, s.count, true);
    step_wanted_ = true;
  }
}

void WindowGate::end_step(Cycle end) {
  if (by_operators_) close(end);
}

bool WindowGate::touches(Cycle start, Cycle end) const {
  switch (window_.kind) {
    case TraceWindow::Kind::whole_run:
      return true;
    case TraceWindow::Kind::tokens:
    case TraceWindow::Kind::operators:
      return step_wanted_;
    case TraceWindow::Kind::cycles:
      break;
  }
  return start < this->end() && begin() < end;
}

bool WindowGate::follow(const Event& event) {
  if (event.pc >= words_.size() || !words_[event.pc]) return false;
  const auto stage = static_cast<Stage>(event.detail);
  if (stage == Stage::decoded) {
    if (in_flight_++ == 0) open(event.cycle);
    return false;
  }
  if (stage != Stage::written_back || in_flight_ == 0 || --in_flight_ != 0) return false;
  close(event.cycle);
  return true;
}

}  // namespace tokencycle::observe
