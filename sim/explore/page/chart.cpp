// SPDX-License-Identifier: Apache-2.0
#include "explore/page/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

constexpr double kPlotWidth = 900;  // pixels, as on a wide screen

std::string y_tick(double y, const std::string& text) {
  return fmt::format(
      "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/><text class=\"tick\" "
      "x=\"0\" dx=\"-8\" y=\"{0:.1f}\" dy=\"4\" text-anchor=\"end\">{1}</text>\n",
      y, text);
}

std::string x_tick(double x, double height, const std::string& text) {
  return fmt::format(
      "<text class=\"tick\" x=\"{:.2f}%\" y=\"{:.1f}\" dy=\"18\" text-anchor=\"middle\">{}</text>\n", x,
      height, text);
}

// A power of ten as "1 Gop/s", "100 kop/s".
std::string power_text(double value, const std::string& unit) {
  std::string text = scaled_text(value, unit);
  const std::size_t zeros = text.find(".0"), space = text.find(' ');
  return zeros == std::string::npos ? text : text.erase(zeros, space - zeros);
}

std::string titles(const std::string& x_title, const std::string& y_title, double height) {
  std::string out;
  if (!y_title.empty()) out += fmt::format("<text class=\"axis\" x=\"0\" y=\"-10\">{}</text>\n", y_title);
  if (!x_title.empty()) {
    out +=
        fmt::format("<text class=\"axis\" x=\"100%\" y=\"{:.1f}\" dy=\"38\" text-anchor=\"end\">{}</text>\n",
                    height, x_title);
  }
  return out;
}

}  // namespace

bool LabelPlaces::is_free(const Box& b) const {
  if (b.left < 0 || b.top < 0 || b.right > kPlotWidth || b.bottom > height_) return false;
  return std::none_of(taken_.begin(), taken_.end(), [&](const Box& t) {
    return b.left < t.right && t.left < b.right && b.top < t.bottom && t.top < b.bottom;
  });
}

void LabelPlaces::add_point(double x, double y) {
  constexpr double kRadius = 6;
  const double at = x / 100 * kPlotWidth;
  taken_.push_back({at - kRadius, y - kRadius, at + kRadius, y + kRadius});
}

std::optional<std::string> LabelPlaces::text(double x, double y, const std::string& name,
                                             std::size_t characters, const std::string& classes) {
  constexpr double kCharacter = 6.6, kHalf = 7, kGap = 9;
  const double at = x / 100 * kPlotWidth, width = kCharacter * static_cast<double>(characters);
  struct Place {
    double dx, dy;
    const char* anchor;
    double left;
  };
  for (const Place& p :
       {Place{kGap, 0, "start", at + kGap}, Place{-kGap, 0, "end", at - kGap - width},
        Place{0, -16, "middle", at - width / 2}, Place{0, 16, "middle", at - width / 2},
        Place{kGap, -13, "start", at + kGap}, Place{kGap, 13, "start", at + kGap},
        Place{-kGap, -13, "end", at - kGap - width}, Place{-kGap, 13, "end", at - kGap - width}}) {
    const Box box{p.left, y + p.dy - kHalf, p.left + width, y + p.dy + kHalf};
    if (!is_free(box)) continue;
    taken_.push_back(box);
    return fmt::format(
        "<text class=\"{}\" x=\"{:.2f}%\" y=\"{:.1f}\" dx=\"{:g}\" dy=\"4\" text-anchor=\"{}\">{}</text>",
        classes, x, y + p.dy, p.dx, p.anchor, name);
  }
  return std::nullopt;
}

double tick_step(double value) {
  if (!(value > 0) || !std::isfinite(value)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value / 4)));
  for (const double step : {1.0, 2.0, 2.5, 5.0}) {
    if (step * power >= value / 4) return step * power;
  }
  return 10 * power;
}

double nice_top(double value) {
  const double step = tick_step(value);
  return std::max(1.0, std::ceil(value / step - 1e-9)) * step;
}

std::string open_svg(const std::string& classes, const std::string& title, const std::string& description,
                     double height) {
  return fmt::format(
      "<div class=\"chart\"><svg class=\"{}\" role=\"img\" width=\"100%\" height=\"{:.0f}\" "
      "aria-label=\"{}. {}\"><title>{}</title><desc>{}</desc>\n",
      classes, height, title, description, title, description);
}

std::string LinearChart::svg(const std::string& classes, const std::string& title,
                             const std::string& description) const {
  const double step_x = tick_step(top_x), step_y = tick_step(top_y);
  std::string out = open_svg(classes, title, description, height);
  for (double v = 0; v <= top_y * 1.001; v += step_y) out += y_tick(y(v), number_text(v, step_y < 1 ? 2 : 0));
  for (double v = 0; top_x > 0 && v <= top_x * 1.001; v += step_x) {
    out += x_tick(x(v), height, number_text(v, step_x < 1 ? 2 : 0));
  }
  return out + body + titles(x_title, y_title, height) + "</svg></div>\n";
}

double LogChart::x(double value) const {
  return plot_percent * std::log10(value / left) / std::log10(right / left);
}

double LogChart::y(double value) const {
  return height - height * std::log10(value / bottom) / std::log10(top / bottom);
}

std::string LogChart::svg(const std::string& classes, const std::string& title,
                          const std::string& description) const {
  std::string out = open_svg(classes, title, description, height);
  for (double v = bottom; v <= top * 1.01; v *= 10) out += y_tick(y(v), power_text(v, y_unit));
  for (double v = left; v <= right * 1.01; v *= 10) {
    out += fmt::format("<line class=\"grid\" y1=\"0\" y2=\"{0:.0f}\" x1=\"{1:.2f}%\" x2=\"{1:.2f}%\"/>",
                       height, x(v));
    out += x_tick(x(v), height, v < 1 ? fmt::format("{:g}", v) : number_text(v));
  }
  return out + body + titles(x_title, y_title, height) + "</svg></div>\n";
}

}  // namespace tokencycle::explore
