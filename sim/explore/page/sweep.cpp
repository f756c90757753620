// SPDX-License-Identifier: Apache-2.0
#include "explore/page/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "explore/page/assets.h"
#include "explore/page/page.h"
#include "explore/page/text.h"
#include "explore/sweep/analysis.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;

// What is asked for first, where the sweep has it: better and better known pairs.
constexpr const char* kFirstChoice[] = {"decode_median_cycles", "first_token_cycles", "end_to_end_cycles",
                                        "array_cycles"};
constexpr const char* kSecondChoice[] = {"area_mm2",   "energy_uj_per_token", "dram_uj",
                                         "dram_bytes", "first_token_cycles",  "array_cycles"};

// All of a sweep that the page shows.
struct SweepPage {
  const SweepPlan& plan;
  const std::vector<Point>& points;
  const SweepTable& table;
  std::vector<Metric> metrics;

  const Column& column(const Metric& m) const { return table.columns[m.column]; }
  // The name, and its unit where the name does not end in it.
  std::string heading(const Metric& m) const {
    const Column& c = column(m);
    return html_text(c.name) + (c.name.ends_with(c.unit) ? "" : ", " + html_text(c.unit));
  }
  std::string axis_name(std::size_t axis) const {
    std::string name;
    for (const Knob& knob : plan.axes[axis].knobs) name += (name.empty() ? "" : ", ") + knob.name;
    return name;
  }
  std::string value_text(std::size_t axis, std::size_t position) const {
    std::string text;
    for (const Json& value : plan.axes[axis].values[position])
      text += (text.empty() ? "" : ", ") +
              (value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', true));
    return text;
  }
  std::string state(std::size_t row) const { return cell(row, "state"); }
  std::string cell(std::size_t row, const char* name) const {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (table.columns[c].name == name && table.rows[row][c].is_string())
        return table.rows[row][c].get<std::string>();
    }
    return "";
  }
};

template <std::size_t N>
const Metric* first_of(const SweepPage& page, const char* const (&names)[N], const Metric* but) {
  for (const char* name : names) {
    const Metric* metric = find_metric(page.table, page.metrics, name);
    if (metric != nullptr && metric != but) return metric;
  }
  for (const Metric& metric : page.metrics) {
    if (&metric != but) return &metric;
  }
  return nullptr;
}

std::string figure_text(double value) {
  return std::abs(value) >= 1000 || value == std::round(value) ? number_text(value) : number_text(value, 3);
}

std::string words(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& word : arguments) text += (text.empty() ? "" : " ") + shell_word(word);
  return text;
}

// The command of a point is this, and the words of each axis's position.
std::string fixed_words(const SweepPlan& plan) {
  const std::string fixed = words(arguments_of({plan.fixed.begin(), plan.fixed.end()}));
  return "tokencycle " + plan.command + (fixed.empty() ? "" : " " + fixed);
}
std::string axis_words(const Axis& axis, std::size_t position) {
  Settings settings;
  for (std::size_t k = 0; k < axis.knobs.size(); ++k)
    settings.emplace_back(axis.knobs[k], axis.values[position][k]);
  return words(arguments_of(settings));
}

// Six digits are more than a chart shows, and whole numbers stay whole.
Json short_number(const std::optional<double>& value) {
  if (!value) return {};
  if (*value == std::floor(*value) && std::abs(*value) < 9e15) return static_cast<std::int64_t>(*value);
  return std::stod(fmt::format("{:.6g}", *value));
}

// What the script draws; figures beyond `most` metrics are left out.
Json data_json(const SweepPage& page, std::size_t most) {
  Json axes = Json::array(), metrics = Json::array(), numbers = Json::array(), at = Json::array();
  for (std::size_t a = 0; a < page.plan.axes.size(); ++a) {
    Json values = Json::array(), arguments = Json::array();
    for (std::size_t i = 0; i < page.plan.axes[a].values.size(); ++i) {
      values.push_back(page.value_text(a, i));
      arguments.push_back(axis_words(page.plan.axes[a], i));
    }
    axes.push_back({{"name", page.axis_name(a)}, {"values", values}, {"words", arguments}});
    at.push_back(Json::array());
  }
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < page.points.size(); ++row) {
    if (page.state(row) != "done") continue;
    rows.push_back(row);
    numbers.push_back(page.points[row].number);
    for (std::size_t a = 0; a < at.size(); ++a) at[a].push_back(page.points[row].at[a]);
  }
  for (const Metric& m : page.metrics) {
    if (metrics.size() == most) break;
    Json values = Json::array();
    for (const std::size_t row : rows) values.push_back(short_number(m.values[row]));
    metrics.push_back({{"name", page.column(m).name},
                       {"unit", page.column(m).unit},
                       {"meaning", page.column(m).meaning},
                       {"more", m.more_is_better},
                       {"values", std::move(values)}});
  }
  return {{"command", fixed_words(page.plan)},
          {"axes", axes},
          {"metrics", metrics},
          {"numbers", numbers},
          {"at", at}};
}

std::string option_list(const SweepPage& page, const Metric* selected, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, page.metrics.size()); ++i) {
    out += fmt::format("<option value=\"{}\"{}>{}</option>", i,
                       &page.metrics[i] == selected ? " selected" : "", page.heading(page.metrics[i]));
  }
  return out;
}

void add_front(std::string& out, const SweepPage& page, const Metric& x, const Metric& y, std::size_t most) {
  open_section(
      out, "front", "Pareto front",
      "The points that no other beats in one of two figures without being worse in the other. Each point "
      "stands for a run; a click on it names it and the command that repeats it.");
  out += fmt::format(
      "<div class=\"tools script\"><label>Across <select id=\"x\">{}</select></label> <label>Up <select "
      "id=\"y\">{}</select></label> <label><input type=\"checkbox\" id=\"logs\"> logarithmic</label></div>\n",
      option_list(page, &x, most), option_list(page, &y, most));
  out +=
      "<div class=\"plot script\"><canvas id=\"scatter\" tabindex=\"0\" role=\"img\" aria-label=\"All points "
      "by "
      "two figures, the front connected\"></canvas></div>\n<p class=\"chosen script\" id=\"chosen\" "
      "aria-live=\"polite\"></p>\n";
  const std::vector<std::size_t> front = pareto_front(x, y);
  constexpr std::size_t kShown = 50;
  open_table(out,
             fmt::format("{} point{} on the front{}", count_text(front.size()), front.size() == 1 ? "" : "s",
                         front.size() > kShown ? ", of which the first 50 are here" : ""),
             "front");
  out += "<thead><tr><th class=\"n\">point</th>";
  for (std::size_t a = 0; a < page.plan.axes.size(); ++a)
    out += "<th>" + html_text(page.axis_name(a)) + "</th>";
  out += fmt::format("<th class=\"n\">{}</th><th class=\"n\">{}</th></tr></thead>\n<tbody id=\"front-rows\">",
                     page.heading(x), page.heading(y));
  for (std::size_t i = 0; i < std::min(kShown, front.size()); ++i) {
    const std::size_t row = front[i];
    out += fmt::format("<tr><td class=\"n\">{}</td>", page.points[row].number);
    for (std::size_t a = 0; a < page.plan.axes.size(); ++a)
      out += "<td>" + html_text(page.value_text(a, page.points[row].at[a])) + "</td>";
    out += fmt::format("<td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", figure_text(*x.values[row]),
                       figure_text(*y.values[row]));
  }
  out += "</tbody></table></div></section>\n";
}

void add_best(std::string& out, const SweepPage& page, const Metric& x, std::size_t most) {
  open_section(out, "best", "Best under constraints",
               "Of the points whose figures are within the limits that you give, the best by one of them.");
  out += fmt::format(
      "<div class=\"script\"><div class=\"tools\"><label>Best by <select "
      "id=\"objective\">{}</select></label> "
      "<button type=\"button\" id=\"add-limit\">Add a limit</button></div>\n<div id=\"limits\"></div>\n<p "
      "id=\"best-text\" aria-live=\"polite\"></p><pre id=\"best-command\" class=\"cmd\"></pre></div>\n<p "
      "class=\"no-script\">This part needs scripts.</p></section>\n",
      option_list(page, &x, most));
}

void add_sensitivity(std::string& out, const SweepPage& page, const Metric& x, std::size_t most) {
  open_section(
      out, "sensitivity", "Sensitivity",
      page.plan.sampling == Sampling::grid
          ? "Means over all points with a value of an axis; largest difference first."
          : "Means over all points with a value of an axis; largest difference first. The points were "
            "drawn, so those of two values differ in the other axes, too.");
  out += fmt::format("<div class=\"tools script\"><label>Of <select id=\"of\">{}</select></label></div>\n",
                     option_list(page, &x, most));
  open_table(out, "mean of " + page.heading(x), "sensitivity");
  out +=
      "<thead><tr><th>axis</th><th class=\"n\">largest over smallest</th><th>mean by "
      "value</th></tr></thead>\n"
      "<tbody id=\"sensitivity-rows\">";
  for (const Sensitivity& s : sensitivities(page.plan, page.points, x)) {
    std::string means;
    for (std::size_t i = 0; i < s.means.size(); ++i) {
      if (!s.means[i]) continue;
      means += fmt::format("{}{}: {}", means.empty() ? "" : "; ", html_text(page.value_text(s.axis, i), 40),
                           figure_text(*s.means[i]));
    }
    out += fmt::format("<tr><th>{}</th><td class=\"n\">+{} %</td><td>{}</td></tr>\n",
                       html_text(page.axis_name(s.axis)), number_text(100 * s.spread, 1), means);
  }
  out += "</tbody></table></div></section>\n";
}

void add_points(std::string& out) {
  open_section(
      out, "points", "All points",
      "A heading sorts. Fields below it filter: 32, >=256, <1e6, or part of a name. A row's number shows "
      "the command that repeats it.");
  out += "<p class=\"script\" id=\"count\" aria-live=\"polite\"></p>\n";
  open_table(out, "All points that are done", "points script");
  out +=
      "<thead id=\"points-head\"></thead><tbody id=\"points-rows\"></tbody></table></div>\n"
      "<div class=\"tools script\"><button type=\"button\" id=\"more\">More rows</button></div>\n"
      "<p class=\"no-script\">This part needs scripts; table.csv has the same rows.</p></section>\n";
}

void add_failures(std::string& out, const SweepPage& page) {
  constexpr std::size_t kShown = 100;
  std::size_t failed = 0;
  std::string rows;
  for (std::size_t row = 0; row < page.points.size(); ++row) {
    if (page.state(row) != "failed" || ++failed > kShown) continue;
    rows += fmt::format("<tr><td class=\"n\">{}</td><td>{}</td></tr>\n", page.points[row].number,
                        html_text(page.cell(row, "error"), 300));
  }
  if (failed == 0) return;
  open_section(out, "failed", "Failed points", "");
  open_table(out,
             fmt::format("{} points failed{}", count_text(failed),
                         failed > kShown ? ", the first 100 are here" : ""),
             "failed");
  out += "<thead><tr><th class=\"n\">point</th><th>why</th></tr></thead>\n<tbody>" + rows +
         "</tbody></table></div></section>\n";
}

std::string page_html(const SweepPage& page, std::size_t most, const std::string& version) {
  std::size_t done = 0;
  for (std::size_t row = 0; row < page.points.size(); ++row) done += page.state(row) == "done" ? 1 : 0;
  const std::string name = html_text(page.plan.name.empty() ? page.plan.source : page.plan.name, 80);
  std::string out(page_head());
  out += fmt::format(
      "<title>{} · tokencycle sweep</title>\n<style>\n{}\n{}\n{}\n{}</style>\n</head>\n<body>\n<a "
      "class=\"skip\" href=\"#front\">To the front</a>\n",
      name, page_css(), charts_css(), sweep_css(), print_css());
  out += fmt::format(
      "<header><p class=\"brand\">tokencycle sweep</p><h1>{}</h1><p class=\"lead\">{} points done of {}, "
      "{} axes</p></header>\n",
      name, count_text(done), count_text(page.points.size()), page.plan.axes.size());
  out +=
      "<div class=\"sticky\"><nav aria-label=\"Sections\"><ul><li><a href=\"#front\">Front</a></li><li><a "
      "href=\"#best\">Best</a></li><li><a href=\"#sensitivity\">Sensitivity</a></li><li><a "
      "href=\"#points\">Points</a></li></ul></nav></div>\n<main>\n";
  const Metric* const x = first_of(page, kFirstChoice, nullptr);
  const Metric* const y = first_of(page, kSecondChoice, x);
  if (x == nullptr || y == nullptr) {
    out +=
        "<section id=\"front\"><h2>No points</h2><p>No point is done yet, so there is nothing to "
        "show.</p></section>\n";
  } else {
    add_front(out, page, *x, *y, most);
    add_best(out, page, *x, most);
    add_sensitivity(out, page, *x, most);
    add_points(out);
  }
  add_failures(out, page);
  out += fmt::format(
      "</main>\n<footer><p>Written by tokencycle {}. This page loads nothing from anywhere.</p></footer>\n",
      html_text(version, 20));
  out += fmt::format(
      "<script type=\"application/octet-stream\" id=\"data\">{}</script>\n<script>\n{}\n{}</script>\n"
      "</body>\n</html>\n",
      packed_json(data_json(page, most)), page_js(), sweep_js());
  return out;
}

}  // namespace

std::string sweep_html(const SweepPlan& plan, const std::vector<Point>& points, const SweepTable& table,
                       const std::string& version) {
  const SweepPage page{plan, points, table, metrics_of(table)};
  for (const std::size_t most : {page.metrics.size(), std::size_t{12}, std::size_t{6}}) {
    std::string html = page_html(page, most, version);
    if (html.size() < kSweepPageBytes) return html;
  }
  throw UsageError(
      fmt::format("{} points do not fit into one page of {} bytes, even with six figures; give fewer "
                  "with --points",
                  count_text(points.size()), count_text(kSweepPageBytes)));
}

}  // namespace tokencycle::explore
