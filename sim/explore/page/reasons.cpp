// SPDX-License-Identifier: Apache-2.0
// Against the baseline: which keys differ, and which causes the changed cycles have; cycles against energy.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "explore/page/chart.h"
#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

constexpr std::size_t kMostKeys = 200;  // rows of a table
constexpr std::size_t kShownName = 32;  // characters of a result's name in the chart

void add_keys(std::string& out, const Page& page, const std::string& caption,
              const std::vector<DifferingKey>& keys) {
  if (keys.empty()) return;
  open_table(out, caption, "keys");
  out += "<thead><tr><th scope=\"col\">key</th>";
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    out += fmt::format("<th scope=\"col\">{}</th>", html_text(page.label(i), 40));
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t k = 0; k < std::min(keys.size(), kMostKeys); ++k) {
    out += fmt::format("<tr><th scope=\"row\"><code>{}</code></th>", html_text(keys[k].path));
    for (const std::string& value : keys[k].values) {
      out += fmt::format("<td>{}</td>", value.empty() ? "–" : html_text(value, 80));
    }
    out += "</tr>\n";
  }
  if (keys.size() > kMostKeys) {
    out += fmt::format("<tr><td>and {} more</td></tr>\n", count_text(keys.size() - kMostKeys));
  }
  out += kCloseTable;
}

// "fewer cycles of preload (−46,000) and scratchpad (−2,000)"; "" where none has the sign.
std::string listed(const Reasons& reasons, bool fewer, double threshold) {
  std::string text;
  int number = 0;
  for (const CauseChange& c : reasons.changes) {
    const double difference = c.difference();
    if ((difference < 0) != fewer || std::abs(difference) < threshold || ++number > 3) continue;
    text += fmt::format("{}<b>{}</b> ({})", text.empty() ? "" : ", ", observe::name_of(c.cause),
                        signed_text(difference));
  }
  return text.empty() ? "" : fmt::format("{} cycles of {}", fewer ? "fewer" : "more", text);
}

// In words; Changes below 1 % of the baseline's cycles are not
// worth one.
std::string in_words(const Reasons& reasons, const std::string& label, const std::string& baseline,
                     const std::string& what) {
  const double change = reasons.value - reasons.baseline;
  std::string text = fmt::format("The {} takes {} cycles on {}", what, number_text(reasons.value), label);
  if (std::abs(change) < 0.5) return text + ", as many as on " + baseline + ".";
  text += fmt::format(", {} {} than the {} on {}{}.", number_text(std::abs(change)),
                      change < 0 ? "fewer" : "more", number_text(reasons.baseline), baseline,
                      reasons.baseline > 0 ? " (" + change_text(reasons.baseline, reasons.value) + ")" : "");
  const double threshold = 0.01 * reasons.baseline;
  const std::string first = listed(reasons, change < 0, threshold),
                    second = listed(reasons, change > 0, threshold);
  if (!first.empty())
    text += " There are " + first + (second.empty() ? "" : "; on the other hand " + second) + ".";
  return text;
}

// A bar to the left or right of the middle, the largest difference being a whole half.
std::string change_bar(const CauseChange& c, double largest) {
  const double width = largest > 0 ? 50 * std::abs(c.difference()) / largest : 0;
  return fmt::format(
      "<span class=\"change-bar\"><i class={} style=\"left:{:.1f}%;width:{:.1f}%\"></i></span>",
      class_of(c.cause), c.difference() < 0 ? 50 - width : 50, width);
}

// What is shown of a cause that has as many cycles in both: nothing, but their sum.
bool differs(const CauseChange& c) {
  return std::abs(c.difference()) >= 0.5;
}

void add_change(std::string& out, const char* classes, const std::string& name, double baseline, double value,
                const std::string& bar) {
  out += fmt::format(
      "<tr{}><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
      "class=\"n\">{}</td><td "
      "class=\"wide\">{}</td></tr>\n",
      classes, name, number_text(baseline), number_text(value), signed_text(value - baseline), bar);
}

void add_changes(std::string& out, const Reasons& reasons, const std::string& caption) {
  double largest = 0, same_before = 0, same = 0;
  std::size_t alike = 0;
  for (const CauseChange& c : reasons.changes) {
    largest = std::max(largest, std::abs(c.difference()));
    if (differs(c)) continue;
    ++alike;
    same_before += c.baseline;
    same += c.value;
  }
  open_table(out, caption, "changes");
  out +=
      "<thead><tr><th scope=\"col\">cause</th><th scope=\"col\" class=\"n\">baseline</th><th "
      "scope=\"col\" class=\"n\">here</th><th scope=\"col\" class=\"n\">change</th><th scope=\"col\" "
      "class=\"wide\"><span class=\"sr\">change as a bar</span></th></tr></thead><tbody>\n";
  for (const CauseChange& c : reasons.changes) {
    if (!differs(c)) continue;
    add_change(out, "",
               fmt::format("<i class=\"key {}\"></i>{}", class_of(c.cause), observe::name_of(c.cause)),
               c.baseline, c.value, change_bar(c, largest));
  }
  if (alike != 0) {
    add_change(out, "", fmt::format("{} unchanged cause{}", alike, alike == 1 ? "" : "s"), same_before, same,
               "");
  }
  add_change(out, " class=\"sum\"", "all", reasons.baseline, reasons.value, "");
  out += kCloseTable;
}

void add_reasons_of(std::string& out, const Page& page, std::size_t i) {
  const std::string label = html_text(page.label(i)), baseline = html_text(page.label(page.baseline()));
  const std::optional<Reasons>& decode = page.comparison.decode[i];
  const std::optional<Reasons>& first = page.comparison.first_token[i];
  out += fmt::format("<div class=\"reason\"><h3>{} against {}</h3>\n", label, baseline);
  if (decode) {
    out += "<p>" + in_words(*decode, label, baseline, "mean decode token") + "</p>\n";
    add_changes(out, *decode, "Cycles of the mean decode token by cause, largest change first");
  }
  if (first) {
    out += fmt::format("<details{}><summary>The first token</summary><p>{}</p>\n", decode ? "" : " open",
                       in_words(*first, label, baseline, "first token"));
    add_changes(out, *first, "Cycles of the first token by cause, largest change first");
    out += "</details>";
  }
  out += "</div>\n";
}

// A machine's mean decode token: time, and energy where it is published.
struct EnergyPoint {
  std::size_t result = 0;
  double us = 0;
  std::optional<double> uj;
};

std::vector<EnergyPoint> energy_points(const Page& page) {
  std::vector<EnergyPoint> points;
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    const std::optional<PhaseMemory>& decode = page.results[i].decode;
    if (!decode || decode->tokens == 0) continue;
    const double cycles = static_cast<double>(decode->cycles) / static_cast<double>(decode->tokens);
    points.push_back({i, cycles / (page.results[i].clock_ghz * 1e3), page.comparison.figures[i].decode_uj});
  }
  return points;
}

// The strip above the plot's points where those without energies are.
constexpr double kUnknownHeight = 28;

void add_energy_point(LinearChart& chart, LabelPlaces& labels, const Page& page, const EnergyPoint& p,
                      double y) {
  const double x = chart.x(p.us);
  const std::string energy = p.uj ? number_text(*p.uj, 1) + " µJ" : "no published energy";
  const std::string name = html_text(page.label(p.result), kShownName);
  const std::size_t characters = std::min(page.label(p.result).size(), kShownName);
  chart.body += fmt::format(
      "<g class=\"b{}{}\"><title>{}: {} µs, {}</title><circle cx=\"{:.2f}%\" cy=\"{:.1f}\" r=\"6\"/>{}</g>\n",
      p.result == page.baseline() ? " base" : "", p.uj ? "" : " unknown", html_text(page.label(p.result)),
      number_text(p.us, 1), energy, x, y, labels.text(x, y, name, characters, "label").value_or(""));
}

// The mean decode token's time against its energy.
void add_energy(std::string& out, const Page& page) {
  const std::vector<EnergyPoint> points = energy_points(page);
  double most_x = 0, most_y = 0;
  bool unknown = false;
  for (const EnergyPoint& p : points) {
    most_x = std::max(most_x, p.us);
    most_y = std::max(most_y, p.uj.value_or(0));
    unknown = unknown || !p.uj;
  }
  if (points.size() < 2 || most_y == 0) return;
  LinearChart chart{nice_top(most_x), nice_top(unknown ? 1.15 * most_y : most_y), 240, "", "", ""};
  chart.x_title = "µs per decode token (mean)";
  chart.y_title = "µJ of DRAM per decode token";
  if (unknown) {
    chart.body += fmt::format(
        "<rect class=\"band\" x=\"0\" y=\"0\" width=\"100%\" height=\"{:.0f}\"/><text class=\"tick\" x=\"6\" "
        "y=\"18\">no published energy</text>\n",
        kUnknownHeight);
  }
  const auto height = [&](const EnergyPoint& p) { return p.uj ? chart.y(*p.uj) : kUnknownHeight / 2; };
  LabelPlaces labels(chart.height);
  for (const EnergyPoint& p : points) labels.add_point(chart.x(p.us), height(p));
  for (const EnergyPoint& p : points) add_energy_point(chart, labels, page, p, height(p));
  out +=
      "<h3>Time against energy</h3><p class=\"lead\">Down and to the left is better. Both are of the mean "
      "decode token; energy is of DRAM alone. A name for which there is no room appears at its point.</p>\n" +
      chart.svg("scatter", "Time against energy",
                "A point for each result; the figures are in the table of the summary.");
}

}  // namespace

void add_reasons(std::string& out, const Page& page) {
  if (page.results.size() < 2) return;
  open_section(out, "reasons", "What differs, and why the cycles changed", "");
  if (page.comparison.keys.empty()) out += "<p>The machines' descriptions are equal.</p>\n";
  add_keys(out, page, "Keys of the machines that differ; all others are equal", page.comparison.keys);
  add_keys(out, page, "Settings that differ", page.comparison.settings);
  out += "<div class=\"reasons\">\n";
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    if (i != page.baseline()) add_reasons_of(out, page, i);
  }
  out += "</div>\n";
  add_energy(out, page);
  out += "</section>\n";
}

}  // namespace tokencycle::explore
