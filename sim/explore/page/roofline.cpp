// SPDX-License-Identifier: Apache-2.0
// The roofline: one point per operator and phase below what the machine could do.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "explore/page/chart.h"
#include "explore/page/page.h"
#include "explore/page/text.h"
#include "explore/roofline.h"

namespace tokencycle::explore {

namespace {

using Marker = OperatorPoint;

std::vector<Marker> markers_of(const Result& result, const Roofs& roofs) {
  std::vector<Marker> markers = roofline_points(result, roofs);
  // Large ones first, so that small ones are drawn above them.
  std::stable_sort(markers.begin(), markers.end(),
                   [](const Marker& a, const Marker& b) { return a.cycles > b.cycles; });
  return markers;
}

double power_below(double value) {
  return std::pow(10, std::floor(std::log10(value)));
}
double power_above(double value) {
  return std::pow(10, std::ceil(std::log10(value)));
}

// Bounds that hold all points and the ridge of the highest roof.
LogChart chart_of(const std::vector<Marker>& markers, const Roofs& roofs) {
  double least_x = 1, most_x = 1, least_y = 1e30, most_y = 0;
  for (const Marker& m : markers) {
    if (std::isfinite(m.point.intensity)) {
      least_x = std::min(least_x, m.point.intensity);
      most_x = std::max(most_x, m.point.intensity);
    }
    least_y = std::min(least_y, m.point.per_second);
    most_y = std::max(most_y, m.point.per_second);
  }
  double peak = roofs.vector_per_cycle;
  for (const Roofs::Array& a : roofs.arrays) peak = std::max(peak, a.operations_per_cycle);
  if (roofs.dram_bytes_per_cycle > 0) most_x = std::max(most_x, 2 * peak / roofs.dram_bytes_per_cycle);
  LogChart chart;
  chart.left = power_below(least_x);
  chart.right = power_above(most_x * 1.01);
  chart.bottom = power_below(least_y);
  chart.top = power_above(std::max(most_y, peak * roofs.clock_hz) * 1.3);
  const bool without_bytes = std::any_of(markers.begin(), markers.end(),
                                         [](const Marker& m) { return !std::isfinite(m.point.intensity); });
  chart.plot_percent = without_bytes ? 92 : 100;
  chart.x_title = "operations a DRAM byte";
  chart.y_title = "operations a second";
  chart.y_unit = "op/s";
  return chart;
}

// A level roof from its ridge with DRAM to the right edge.
void add_level(LogChart& chart, const Roofs& roofs, double per_cycle, const std::string& name,
               const char* classes) {
  if (per_cycle <= 0) return;
  const double value = per_cycle * roofs.clock_hz;
  const double ridge = roofs.dram_bytes_per_cycle > 0 ? per_cycle / roofs.dram_bytes_per_cycle : chart.left;
  const double x = chart.x(std::clamp(ridge, chart.left, chart.right));
  chart.body += fmt::format(
      "<line class=\"{0}\" x1=\"{1:.2f}%\" x2=\"100%\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/><text "
      "class=\"roof-name\" x=\"100%\" "
      "dx=\"-4\" y=\"{2:.1f}\" dy=\"-6\" text-anchor=\"end\">{3}: {4}</text>\n",
      classes, x, chart.y(value), name, scaled_text(value, "op/s"));
}

// A sloped roof, from where it enters the plot to the highest level.
void add_slope(LogChart& chart, const Roofs& roofs, double bytes_per_cycle, double peak,
               const std::string& name, const char* classes) {
  if (bytes_per_cycle <= 0) return;
  const double bandwidth = bytes_per_cycle * roofs.clock_hz;
  const double from = std::max(chart.left, chart.bottom / bandwidth);
  const double to = std::min(chart.right, (peak > 0 ? peak * roofs.clock_hz : chart.top) / bandwidth);
  if (to <= from) return;
  chart.body += fmt::format(
      "<line class=\"{}\" x1=\"{:.2f}%\" y1=\"{:.1f}\" x2=\"{:.2f}%\" y2=\"{:.1f}\"/><text "
      "class=\"roof-name\" x=\"{:.2f}%\" y=\"{:.1f}\" dx=\"34\" dy=\"6\">{}: {}</text>\n",
      classes, chart.x(from), chart.y(from * bandwidth), chart.x(to), chart.y(to * bandwidth), chart.x(from),
      chart.y(from * bandwidth), name, scaled_text(bandwidth, "B/s"));
}

void add_roofs(LogChart& chart, const Roofs& roofs) {
  double peak = roofs.vector_per_cycle;
  for (const Roofs::Array& a : roofs.arrays) peak = std::max(peak, a.operations_per_cycle);
  add_slope(chart, roofs, roofs.dram_bytes_per_cycle, peak, "DRAM", "roof");
  add_slope(chart, roofs, roofs.scratchpad_bytes_per_cycle, peak, "scratchpad, by its own bytes",
            "roof thin");
  for (const Roofs::Array& a : roofs.arrays)
    add_level(chart, roofs, a.operations_per_cycle, "array, " + a.types, "roof");
  add_level(chart, roofs, roofs.vector_per_cycle, "vector unit", "roof thin");
}

std::string critical_class(const UseDetail& use) {
  const auto largest = std::max_element(use.stack.begin(), use.stack.end());
  return class_of(static_cast<observe::Cause>(largest - use.stack.begin()));
}

// "attn_q" of "blk.3.attn_q": the same work in each layer.
std::string role_of(const ResultOperator& op) {
  const std::string prefix = fmt::format("blk.{}.", op.layer);
  return op.layer >= 0 && op.name.starts_with(prefix) ? op.name.substr(prefix.size()) : op.name;
}

void add_marker(LogChart& chart, const Marker& m) {
  const RooflinePoint& p = m.point;
  const double x = std::isfinite(p.intensity) ? chart.x(p.intensity) : 96;
  chart.body += fmt::format(
      "<g class=\"b\"><title>{}, {}: {} at {} operations a DRAM byte; {} of its roof of {} ({})</title><use "
      "href=\"#{}\" class=\"{}\" x=\"{:.2f}%\" y=\"{:.1f}\"/></g>\n",
      html_text(m.op->name), m.decode ? "decode" : "prefill", scaled_text(p.per_second, "op/s"),
      std::isfinite(p.intensity) ? number_text(p.intensity, p.intensity < 10 ? 2 : 0) : "infinite",
      share_text(p.per_second, p.roof), scaled_text(p.roof, "op/s"), name_of(p.limit),
      m.decode ? "round" : "square", critical_class(*m.use), x, chart.y(p.per_second));
}

// Names of the largest work of each kind, where there is room beside the points.
void add_names(LogChart& chart, const std::vector<Marker>& markers) {
  constexpr std::size_t kMost = 8, kCharacters = 30;
  LabelPlaces labels(chart.height);
  for (const Marker& m : markers) {
    if (std::isfinite(m.point.intensity))
      labels.add_point(chart.x(m.point.intensity), chart.y(m.point.per_second));
  }
  std::vector<std::string> named;
  for (const Marker& m : markers) {
    const std::string name = role_of(*m.op) + (m.decode ? "" : " (prefill)");
    if (named.size() == kMost || !std::isfinite(m.point.intensity)) continue;
    if (std::find(named.begin(), named.end(), name) != named.end()) continue;
    const auto text =
        labels.text(chart.x(m.point.intensity), chart.y(m.point.per_second), html_text(name, kCharacters),
                    std::min(name.size(), kCharacters), "name label");
    if (!text) continue;
    chart.body += *text + "\n";
    named.push_back(name);
  }
}

void add_points_table(std::string& out, const std::vector<Marker>& markers, std::size_t most) {
  out += "<details><summary>The points as a table</summary>\n";
  open_table(out, "Operators below their roofs, those with most cycles first", "points sortable");
  out +=
      "<thead><tr><th scope=\"col\">operator</th><th scope=\"col\">phase</th><th scope=\"col\" "
      "class=\"n\">operations a DRAM byte</th><th scope=\"col\" class=\"n\">Gop/s</th><th scope=\"col\" "
      "class=\"n\">roof, Gop/s</th><th scope=\"col\" class=\"n\">of its roof</th><th "
      "scope=\"col\">limited by</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(most, markers.size()); ++i) {
    const RooflinePoint& p = markers[i].point;
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>\n",
        html_text(markers[i].op->name), markers[i].decode ? "decode" : "prefill",
        std::isfinite(p.intensity) ? number_text(p.intensity, 2) : "∞", number_text(p.per_second * 1e-9, 2),
        number_text(p.roof * 1e-9, 2), share_text(p.per_second, p.roof), name_of(p.limit));
  }
  out += std::string(kCloseTable) + "</details>\n";
}

void add_roofline_of(std::string& out, const Page& page, std::size_t i) {
  open_result(out, page, i);
  const Roofs roofs = roofs_of(page.results[i]);
  const std::vector<Marker> markers = markers_of(page.results[i], roofs);
  if (markers.empty()) {
    out +=
        "<p>This result has no counts of operations by operator; a result of this version's <code>run "
        "--result</code> has them.</p></div>\n";
    return;
  }
  LogChart chart = chart_of(markers, roofs);
  if (chart.plot_percent < 100) {
    chart.body += fmt::format(
        "<rect class=\"band\" x=\"{0:.1f}%\" y=\"0\" width=\"8%\" height=\"{1:.0f}\"/><text class=\"tick\" "
        "x=\"96%\" y=\"16\" text-anchor=\"middle\">no bytes</text>\n",
        chart.plot_percent, chart.height);
  }
  add_roofs(chart, roofs);
  const std::size_t most = page.detail.operators;
  for (std::size_t m = 0; m < std::min(most, markers.size()); ++m) add_marker(chart, markers[m]);
  add_names(chart, markers);
  out += chart.svg("roofline", "Roofline of " + html_text(page.label(i)),
                   fmt::format("{} points, an operator and phase each; the figures are in the table below.",
                               count_text(std::min(most, markers.size()))));
  add_points_table(out, markers, most);
  out += "</div>\n";
}

}  // namespace

void add_roofline(std::string& out, const Page& page) {
  const auto marker = [](const char* shape) {
    return fmt::format(
        "<svg class=\"inline\" width=\"12\" height=\"12\" aria-hidden=\"true\"><use href=\"#{}\" x=\"6\" "
        "y=\"6\"/></svg>",
        shape);
  };
  const std::string lead =
      "What each operator does a second over its span, against what it does for a byte of DRAM. An "
      "operation is an addition or a multiplication of the array, or an element of the vector unit. Its "
      "roof is the least of DRAM, the array at its type, the vector unit and the scratchpad; no point is "
      "above its own. Dashed are the vector unit, and the scratchpad against bytes of its own. Colour is "
      "the critical resource; ";
  open_section(out, "roofline", "Roofline",
               lead + marker("round") + " decode, " + marker("square") + " prefill.");
  for (std::size_t i = 0; i < page.results.size(); ++i) add_roofline_of(out, page, i);
  out += "</section>\n";
}

}  // namespace tokencycle::explore
