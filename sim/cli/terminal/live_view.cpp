// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/live_view.h"

#include <fmt/format.h>
#include <unistd.h>

namespace tokencycle::cli {

LiveMode live_mode(bool quiet) {
  if (quiet) return LiveMode::none;
  if (StatusLine::possible()) return LiveMode::status;
  const bool terminal = ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  return terminal ? LiveMode::none : LiveMode::lines;
}

LiveView::LiveView(LiveMode mode, std::function<double()> seconds, std::FILE* lines)
    : mode_(mode), seconds_(std::move(seconds)), lines_(lines), pace_(0, 0) {
  if (mode_ == LiveMode::none) return;
  shown_ = seconds_();
  if (mode_ == LiveMode::status) line_.emplace();
}

LiveView::~LiveView() {
  if (!line_) return;
  end();
  static_cast<void>(std::fputs("\n", stderr));
}

void LiveView::begin(double total, const std::string& left_of) {
  pace_ = Pace(total, seconds_());
  figures_.left_of = left_of;
}

void LiveView::update(std::uint64_t count) {
  if (mode_ == LiveMode::none) return;
  const double now = seconds_();
  if (sampled_ && now - *sampled_ < kStatusSeconds) return;
  sampled_ = now;
  figures_.count = count;
  rate_.add(count, now);
  if (mode_ == LiveMode::lines && now - shown_ < kLineSeconds) return;
  shown_ = now;
  show(now);
}

void LiveView::show(double now) {
  figures_.per_second = rate_.per_second();
  figures_.seconds_left = pace_.left(now);
  const std::string text = live_text(figures_);
  if (line_) {
    line_->show(text);
  } else {
    // Where it cannot be written (a full disk), the work continues.
    static_cast<void>(std::fputs(("tokencycle: " + text + "\n").c_str(), lines_));
    static_cast<void>(std::fflush(lines_));
  }
}

void LiveView::end() {
  line_.reset();
  mode_ = LiveMode::none;
}

}  // namespace tokencycle::cli
