// SPDX-License-Identifier: Apache-2.0
// Charts as SVG that keep the size of their letters: x in percent of the plot's width, y in pixels. Ticks are
// written outside the plot, where the style sheet leaves room.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tokencycle::explore {

// The step of about four ticks up to `value`: 1, 2, 2.5 or 5 times a power of ten; 1 for 0. And the least
// number of whole steps that is not below it.
double tick_step(double value);
double nice_top(double value);

// <svg role=img> with title and description, both HTML; `height` is of the plot.
std::string open_svg(const std::string& classes, const std::string& title, const std::string& description,
                     double height);

// Finds places for names beside their points where they cover no other name and no point, in a plot of 900
// pixels; the script looks again at the width that there is.
class LabelPlaces {
 public:
  explicit LabelPlaces(double height) : height_(height) {}
  // x: percent; y: pixels. Each point keeps its surroundings free.
  void add_point(double x, double y);
  // <text> of `classes` for the name (HTML) of so many characters, or nothing where there is no room.
  std::optional<std::string> text(double x, double y, const std::string& name, std::size_t characters,
                                  const std::string& classes);

 private:
  struct Box {
    double left, top, right, bottom;
  };
  bool is_free(const Box& box) const;

  double height_;
  std::vector<Box> taken_;
};

// Both axes from 0 on.
struct LinearChart {
  double x(double value) const { return 100 * value / top_x; }              // percent
  double y(double value) const { return height - height * value / top_y; }  // pixels
  std::string svg(const std::string& classes, const std::string& title, const std::string& description) const;

  double top_x = 0, top_y = 1, height = 240;  // top_x 0: no ticks on the x axis
  std::string x_title, y_title;               // HTML
  std::string body;                           // between the grid and the ticks
};

// Both axes logarithmic; the bounds are powers of ten.
struct LogChart {
  double x(double value) const;  // percent
  double y(double value) const;  // pixels
  std::string svg(const std::string& classes, const std::string& title, const std::string& description) const;

  double left = 1, right = 10, bottom = 1, top = 10, height = 400;
  double plot_percent = 100;  // of the width that the axis takes; what is to the right of it is the caller's
  std::string x_title, y_title;  // HTML
  std::string y_unit;            // of ticks: "op/s"
  std::string body;
};

}  // namespace tokencycle::explore
