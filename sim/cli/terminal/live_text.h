// SPDX-License-Identifier: Apache-2.0
// What is said about a run while it lasts: a line of text, and the figures in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "observe/analysis/cycle_stack.h"

namespace tokencycle::cli {

// Wall times are seconds from any fixed point.

// How long the rest of some work takes, from the parts of it that are done. Parts have weights: prompt
// tokens of a step; 1 each where they are alike.
class Pace {
 public:
  // `total`: the weight of all parts; 0: not known. The first begins at `now`.
  Pace(double total, double now) : total_(total), since_(now) {}
  // A part is done, and the next begins.
  void done(double weight, double now);
  // So much of the part under way is done, by a guess that counts until a part is done.
  void under_way(double weight) { under_way_ = weight; }
  // Seconds left at `now` by the last kParts parts: of the one under way what is left of an average one, and
  // all the others. Nothing before a part is done, or where the total is not known.
  std::optional<double> left(double now) const;

 private:
  static constexpr std::size_t kParts = 8;
  struct Part {
    double weight, seconds;
  };
  double total_, since_;
  double done_ = 0, under_way_ = 0;
  std::deque<Part> parts_;
};

// What is counted a second, over the last kSeconds seconds of wall time.
class RecentRate {
 public:
  void add(std::uint64_t count, double now);
  std::optional<double> per_second() const;

 private:
  static constexpr double kSeconds = 2;
  struct Sample {
    std::uint64_t count;
    double at;
  };
  std::deque<Sample> samples_;
};

struct LiveFigures {
  std::string place;  // "token 12 of 64"
  std::string step;   // within a step that lasts: "layer 3 of 32, blk.3.attn_q, 12 %"
  std::uint64_t count = 0;
  std::string unit = "cycles";  // of the count
  std::optional<double> per_second;
  std::optional<double> seconds_left;
  std::string left_of;     // "the prompt"; empty: of all
  std::string bottleneck;  // bottleneck_text()
};

// "token 12 of 64, 1,234,567 cycles, 3.7 Mcycles/s, 14 s left, preload 78 %": what is not known is left out.
std::string live_text(const LiveFigures& figures);

// "14 s", "2 min 5 s", "3 h 20 min": rounded up to what is shown.
std::string duration_text(double seconds);
// The cause with most cycles and its share, "preload 78 %"; empty for an empty stack.
std::string bottleneck_text(const observe::Stack& stack);

}  // namespace tokencycle::cli
