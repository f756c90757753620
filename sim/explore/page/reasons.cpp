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

void add_changes(std::string& out, const Reasons& reasons, const std::string& caption) {
  double largest = 0;
  for (const CauseChange& c : reasons.changes) largest = std::max(largest, std::abs(c.difference()));
  open_table(out, caption, "changes");
  out +=
      "<thead><tr><th scope=\"col\">cause</th><th scope=\"col\" class=\"n\">baseline</th><th "
      "scope=\"col\" class=\"n\">here</th><th scope=\"col\" class=\"n\">change</th><th scope=\"col\" "
      "class=\"wide\"><span class=\"sr\">change as a bar</span></th></tr></thead><tbody>\n";
  for (const CauseChange& c : reasons.changes) {
    out += fmt::format(
        "<tr><th scope=\"row\"><i class=\"key {}\"></i>{}</th><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"wide\">{}</td></tr>\n",
        class_of(c.cause), observe::name_of(c.cause), number_text(c.baseline), number_text(c.value),
        signed_text(c.difference()), change_bar(c, largest));
  }
  out += fmt::format(
      "<tr class=\"sum\"><th scope=\"row\">all</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
      "class=\"n\">{}</td><td class=\"wide\"></td></tr>\n",
      number_text(reasons.baseline), number_text(reasons.value),
      signed_text(reasons.value - reasons.baseline));
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

// Cycles of the median decode token against the energy of a token.
void add_energy(std::string& out, const Page& page) {
  struct Point {
    std::size_t result;
    double x, y;
  };
  std::vector<Point> points;
  double most_x = 0, most_y = 0;
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    const Figures& f = page.comparison.figures[i];
    if (!f.us_per_token || !f.uj_per_token) continue;
    points.push_back({i, *f.us_per_token, *f.uj_per_token});
    most_x = std::max(most_x, *f.us_per_token);
    most_y = std::max(most_y, *f.uj_per_token);
  }
  if (points.size() < 2) return;
  LinearChart chart{nice_top(most_x), nice_top(most_y), 240, "", "", ""};
  chart.x_title = "µs a decode token (median)";
  chart.y_title = "µJ of DRAM a token";
  for (const Point& p : points) {
    const double x = chart.x(p.x), y = chart.y(p.y);
    chart.body += fmt::format(
        "<g class=\"b{}\"><title>{}: {} µs, {} µJ</title><circle cx=\"{:.2f}%\" cy=\"{:.1f}\" "
        "r=\"6\"/><text x=\"{:.2f}%\" y=\"{:.1f}\" dx=\"{}\" dy=\"4\"{}>{}</text></g>\n",
        p.result == page.baseline() ? " base" : "", html_text(page.label(p.result)), number_text(p.x, 1),
        number_text(p.y, 1), x, y, x, y, x > 70 ? -11 : 11, x > 70 ? " text-anchor=\"end\"" : "",
        html_text(page.label(p.result), 24));
  }
  out +=
      "<h3>Time against energy</h3><p class=\"lead\">Down and to the left is better. Energy is of DRAM "
      "alone.</p>\n" +
      chart.svg("scatter", "Time against energy",
                "A point a result; the figures are in the table of the summary.");
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
