// SPDX-License-Identifier: Apache-2.0
// The part of a run that a trace shows, as --trace-window gives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.h"
#include "observe/event.h"

namespace tokencycle::observe {

struct TraceStep;

// For --help.
inline constexpr std::string_view kTraceWindowHelp =
    "token:3..4 (both of them; token:3: one), cycle:1000..2000 (from 1000 on, before 2000) or op:NAME "
    "(the operator, in every layer and step; * stands for any letters)";

struct TraceWindow {
  enum class Kind : std::uint8_t { whole_run, tokens, cycles, operators };
  Kind kind = Kind::whole_run;
  std::uint64_t first = 0, last = 0;  // tokens: [first, last]; cycles: [first, last)
  std::string pattern;                // operators

  // Throws UsageError naming the value, the forms and an example.
  static TraceWindow parse(const std::string& text);

  bool has_token(std::uint32_t token) const;
  // The name equals the pattern; each * in the pattern stands for any letters, or none.
  bool has_operator(std::string_view name) const;
};

// Follows the events of a run and says which cycles are in the window.
//
// tokens: those of the steps of these tokens. operators: those in which an instruction of a matching operator
// is between decode and retirement, so loads that were moved ahead count, and there may be gaps.
class WindowGate {
 public:
  explicit WindowGate(TraceWindow window);

  void begin_step(const TraceStep& step);
  void end_step(Cycle end);
  // With each event, before contains() is asked for its cycle. Other kinds than `instruction` change nothing.
  // True: the window has just closed at the event's cycle (operators alone; others close by their numbers).
  bool on_event(const Event& event) {
    return by_operators_ && event.kind == EventKind::instruction && follow(event);
  }

  // For cycles up to that of the last event. In the cycle in which an operator's last instruction in flight
  // retires it is outside already.
  bool contains(Cycle cycle) const { return cycle.value - begin_ < length_; }
  // The instruction of this word is wanted, given that its cycles are: all are, but with `operators` only
  // those of matching operators.
  bool has_word(std::uint32_t pc) const { return !by_operators_ || (pc < words_.size() && words_[pc]); }
  // Whether [start, end), a part of the step that began last, touches the window. operators: it does when the
  // step's program has a matching one. What is known of a step as a whole (its operators' times) is then
  // written for the whole step.
  bool touches(Cycle start, Cycle end) const;

  // The cycles in the window as they are known now, or of its last part: [begin, end), end = kNever while it
  // is open. Slices are cut to it.
  Cycle begin() const { return Cycle(begin_); }
  Cycle end() const { return length_ > kNever.value - begin_ ? kNever : Cycle(begin_ + length_); }

 private:
  bool follow(const Event& event);
  void open(Cycle begin);
  void close(Cycle end);

  TraceWindow window_;
  bool by_operators_ = window_.kind == TraceWindow::Kind::operators;
  bool step_wanted_ = false;              // tokens, operators: something of this step is
  std::uint64_t begin_ = 0, length_ = 0;  // the window as begin and length: one comparison an event
  std::vector<bool> words_;               // operators: the words of matching ones in this step's program
  std::uint32_t in_flight_ = 0;           // operators: their instructions between decode and retirement
};

}  // namespace tokencycle::observe
