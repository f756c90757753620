// SPDX-License-Identifier: Apache-2.0
// What a command shows while it works: a status line on a terminal, lines now and then elsewhere.
#pragma once

#include <cstdio>
#include <functional>
#include <optional>
#include <string>

#include "base/wall_clock.h"
#include "cli/terminal/live_text.h"
#include "cli/terminal/status_line.h"

namespace tokencycle::cli {

enum class LiveMode {
  none,    // nothing
  lines,   // "tokencycle: ..." on standard error, every 10 s at most
  status,  // the last row of the terminal, 10 times a second at most
};
// `quiet`: none. A terminal that can do it: status; one that cannot: none, for lines would break the text.
// Otherwise, since at least one of the two goes elsewhere: lines.
LiveMode live_mode(bool quiet);

// It writes nothing to standard output, and it does not poll: update() looks at the wall clock, so
// it may be called often, but not every cycle. The terminal is in order again when the object is gone.
class LiveView {
 public:
  static constexpr double kLineSeconds = 10, kStatusSeconds = 0.1;

  // `seconds`: the wall clock. `lines`: where lines go.
  explicit LiveView(LiveMode mode, std::function<double()> seconds = wall_seconds, std::FILE* lines = stderr);

  // Without end() an error is on its way, and the terminal is given a new line for it.
  ~LiveView();

  // Work that consists of `total` weight (0: not known) begins. `left_of` as in LiveFigures.
  void begin(double total, const std::string& left_of = "");
  // Where the work is now: "token 12 of 64".
  void set_place(const std::string& place) { figures_.place = place; }
  // Where it is within a part that lasts long, and how much of the part's weight that is.
  void set_step(const std::string& step, double weight) {
    figures_.step = step;
    pace_.under_way(weight);
  }
  void set_unit(const std::string& unit) { figures_.unit = unit; }  // of the count; else cycles
  // A part of it is done: its weight, and what its cycles were spent on.
  void done(double weight) {
    pace_.done(weight, seconds_());
    figures_.step.clear();
  }
  void set_bottleneck(const observe::Stack& stack) { figures_.bottleneck = bottleneck_text(stack); }
  // Text went to standard output.
  void wrote(const std::string& text) {
    if (line_) line_->follow(text);
  }
  // The count so far. Shows it, if it is time.
  void update(std::uint64_t count);
  // Nothing is shown any more, and the terminal is in order.
  void end();

 private:
  void show(double now);

  LiveMode mode_;
  std::function<double()> seconds_;
  std::FILE* lines_;
  std::optional<StatusLine> line_;
  LiveFigures figures_;
  Pace pace_;
  RecentRate rate_;
  std::optional<double> sampled_;  // when; nothing before the first update()
  double shown_ = 0;
};

}  // namespace tokencycle::cli
