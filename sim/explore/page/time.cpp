// SPDX-License-Identifier: Apache-2.0
// Over time: utilisation, and the pipeline of one token. The scripts draw; tables say the same without them.
#include <fmt/format.h>

#include <algorithm>

#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

constexpr std::size_t kTableRows = 50;  // of the pipeline, for those who read

// States of each unit; busy first, then what it waits for most.
void add_units(std::string& out, const Result& result, const std::string& label) {
  open_table(out, "Units of " + label + ": share of all cycles", "units");
  out +=
      "<thead><tr><th scope=\"col\">unit</th><th scope=\"col\" class=\"n\">busy</th><th scope=\"col\" "
      "class=\"wide\"><span class=\"sr\">as a bar</span></th><th scope=\"col\">most frequent of the "
      "rest</th></tr></thead><tbody>\n";
  const auto all = static_cast<double>(result.cycles);
  for (const ResultUnit& unit : result.units) {
    const auto busy = static_cast<double>(unit.cycles("busy"));
    std::vector<std::pair<std::uint64_t, std::string>> rest;
    for (const auto& [state, cycles] : unit.states) {
      if (state != "busy" && static_cast<double>(cycles) > 0.0005 * all) rest.emplace_back(cycles, state);
    }
    std::sort(rest.rbegin(), rest.rend());
    std::string reasons;
    for (std::size_t i = 0; i < std::min<std::size_t>(4, rest.size()); ++i) {
      reasons += fmt::format("{}{} {}", i == 0 ? "" : ", ", html_text(rest[i].second, 40),
                             share_text(static_cast<double>(rest[i].first), all));
    }
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"wide\"><span class=\"bar\"><i "
        "class=\"fill\" style=\"width:{:.1f}%\"></i></span></td><td>{}</td></tr>\n",
        html_text(unit.name, 40), share_text(busy, all), all > 0 ? 100 * busy / all : 0, reasons);
  }
  out += kCloseTable;
}

std::string stage_cells(const PipelineRow& row) {
  std::string cells;
  for (const std::optional<std::int64_t>& time : row.times) {
    cells += fmt::format("<td class=n>{}</td>", time ? number_text(static_cast<double>(*time)) : "–");
  }
  return cells;
}

void add_rows_table(std::string& out, const Pipeline& p, const std::string& label) {
  out += fmt::format("<details><summary>The first {} instructions as a table</summary>\n",
                     std::min(kTableRows, p.rows.size()));
  open_table(out, "Instructions of " + label + ": cycles from the token's start", "stages");
  out +=
      "<thead><tr><th scope=\"col\">instruction</th><th scope=\"col\">operator</th><th "
      "scope=\"col\">unit</th>";
  for (const char* stage : {"fetched", "decoded", "dispatched", "started", "finished", "written back"}) {
    out += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", stage);
  }
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(kTableRows, p.rows.size()); ++i) {
    const PipelineRow& row = p.rows[i];
    out += fmt::format("<tr><th scope=row>{} {}</th><td>{}</td><td>{}</td>{}</tr>\n", i,
                       html_text(p.kinds[row.kind], 40),
                       row.op < 0 ? "–" : html_text(p.operators[static_cast<std::size_t>(row.op)].first, 60),
                       html_text(p.units[row.unit], 20), stage_cells(row));
  }
  out += std::string(kCloseTable) + "</details>\n";
}

void add_pipeline_of(std::string& out, const Page& page, std::size_t i) {
  open_result(out, page, i);
  const std::optional<Pipeline>& p = page.results[i].pipeline;
  if (!p || p->rows.empty()) {
    out +=
        "<p>This result has no instructions of a token; <code>run --result</code> of this version writes "
        "those of <code>--pipeline-token</code>.</p></div>\n";
    return;
  }
  const std::size_t shown = std::min(page.detail.pipeline_rows, p->rows.size());
  out += fmt::format("<p class=\"small\">Token {}, cycles {} to {}: {} of its {} instructions{}.</p>\n",
                     p->token, count_text(p->start), count_text(p->end), count_text(shown),
                     count_text(p->instructions),
                     shown < p->rows.size() ? "; the rest was left out so that this page stays small" : "");
  if (shown != 0) out += fmt::format("<div class=\"pipeline\" data-result=\"{}\"></div>\n", i);
  add_rows_table(out, *p, html_text(page.label(i)));
  out += "</div>\n";
}

}  // namespace

void add_timeline(std::string& out, const Page& page) {
  open_section(out, "timeline", "Utilisation over time",
               "<span class=\"script\">Drag to zoom, double-click to see all again. With the keyboard: "
               "arrows move, + and − zoom, 0 shows all. Dashed lines are where tokens end.</span>");
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    const Result& result = page.results[i];
    open_result(out, page, i);
    if (result.timeline) {
      out += fmt::format("<div class=\"timeline\" data-result=\"{}\"></div>\n", i);
    } else {
      out +=
          "<p>This result has no values over time; a result of this version's <code>run --result</code> has "
          "them.</p>\n";
    }
    add_units(out, result, html_text(page.label(i)));
    out += "</div>\n";
  }
  out += "</section>\n";
}

void add_pipeline(std::string& out, const Page& page) {
  open_section(
      out, "pipeline", "Pipeline",
      "The life of each instruction of one token: one row per instruction, in the order of decoding. "
      "<i class=\"key f\"></i> F fetched, <i class=\"key d\"></i> D in decode, <i class=\"key q\"></i> Q in "
      "its unit's "
      "queue, <i class=\"key x\"></i> X executes, <i class=\"key w\"></i> W until it is written back.");
  for (std::size_t i = 0; i < page.results.size(); ++i) add_pipeline_of(out, page, i);
  out += "</section>\n";
}

}  // namespace tokencycle::explore
