// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/live_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"

namespace tokencycle::cli {

void Pace::done(double weight, double now) {
  under_way_ = 0;
  parts_.push_back({weight, now - since_});
  if (parts_.size() > kParts) parts_.pop_front();
  done_ += weight;
  since_ = now;
}

std::optional<double> Pace::left(double now) const {
  double weight = 0, seconds = 0;
  for (const Part& p : parts_) {
    weight += p.weight;
    seconds += p.seconds;
  }
  if (total_ != 0 && weight == 0 && under_way_ > 0) {
    return (now - since_) * std::max(total_ - under_way_, 0.0) / under_way_;
  }
  if (total_ == 0 || weight == 0) return {};
  const double rest = (total_ - done_) * seconds / weight;
  const double own = std::min(rest, seconds / static_cast<double>(parts_.size()));
  return rest - std::min(own, now - since_);
}

void RecentRate::add(std::uint64_t count, double now) {
  if (!samples_.empty() && count < samples_.back().count) samples_.clear();  // counted anew
  samples_.push_back({count, now});
  // The newest that is old enough stays: it is where the time begins.
  while (samples_.size() > 2 && now - samples_[1].at >= kSeconds) samples_.pop_front();
}

std::optional<double> RecentRate::per_second() const {
  if (samples_.empty()) return {};
  const double seconds = samples_.back().at - samples_.front().at;
  if (seconds <= 0) return {};
  return static_cast<double>(samples_.back().count - samples_.front().count) / seconds;
}

std::string duration_text(double seconds) {
  constexpr std::uint64_t kMinute = 60, kHour = 60 * kMinute;
  const auto s = static_cast<std::uint64_t>(std::ceil(seconds));
  if (s < kMinute) return fmt::format("{} s", s);
  if (s < kHour) return fmt::format("{} min {} s", s / kMinute, s % kMinute);
  const std::uint64_t minutes = (s + kMinute - 1) / kMinute;
  return fmt::format("{} h {} min", with_separators(minutes / 60), minutes % 60);
}

std::string bottleneck_text(const observe::Stack& stack) {
  const std::uint64_t total = std::accumulate(stack.begin(), stack.end(), std::uint64_t{0});
  if (total == 0) return "";
  const auto most = std::max_element(stack.begin(), stack.end());
  return fmt::format("{} {:.0f} %", observe::name_of(static_cast<observe::Cause>(most - stack.begin())),
                     100.0 * static_cast<double>(*most) / static_cast<double>(total));
}

std::string live_text(const LiveFigures& f) {
  std::string text = f.place;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (!f.step.empty()) add(f.step);
  add(fmt::format("{} {}", with_separators(f.count), f.unit));
  if (f.per_second) {
    const double rate = *f.per_second;
    add(rate < 1e5 ? fmt::format("{:.1f} k{}/s", rate / 1e3, f.unit)
                   : fmt::format("{:.1f} M{}/s", rate / 1e6, f.unit));
  }
  if (f.seconds_left) {
    add(fmt::format("{} left{}", duration_text(*f.seconds_left),
                    f.left_of.empty() ? "" : " of " + f.left_of));
  }
  if (!f.bottleneck.empty()) add(f.bottleneck);
  return text;
}

}  // namespace tokencycle::cli
