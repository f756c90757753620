// SPDX-License-Identifier: Apache-2.0
#include "explore/page/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "explore/page/assets.h"
#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

struct Link {
  const char *id, *name;
};
constexpr std::array<Link, 9> kLinks = {{{"summary", "Summary"},
                                         {"reasons", "Differences"},
                                         {"tokens", "Tokens"},
                                         {"tree", "Top down"},
                                         {"roofline", "Roofline"},
                                         {"timeline", "Timeline"},
                                         {"pipeline", "Pipeline"},
                                         {"operators", "Operators"},
                                         {"details", "Details"}}};

// Shapes that charts refer to: patterns of causes (the second of two that share a hue is hatched) and
// markers.
std::string shapes() {
  std::string out = "<svg class=\"shapes\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n";
  for (const int cause : {4, 6, 8, 10, 12, 13}) {
    out += fmt::format(
        "<pattern id=\"h{0}\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
        "patternTransform=\"rotate(45)\"><rect width=\"5\" height=\"5\" style=\"fill:var(--k{0})\"/><rect "
        "width=\"2\" height=\"5\" fill=\"#fff\" fill-opacity=\".5\"/></pattern>\n",
        cause);
  }
  return out +
         "<circle id=\"round\" r=\"5\"/><rect id=\"square\" x=\"-4.5\" y=\"-4.5\" width=\"9\" "
         "height=\"9\"/></defs></svg>\n";
}

std::string headline(const Page& page) {
  const Result& r = page.results[page.baseline()];
  const std::string model = r.model.name.empty() ? r.model.file : r.model.name;
  std::string machines;
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    if (i == 6 && page.results.size() > 7) {
      machines += fmt::format(" and {} more", page.results.size() - i);
      break;
    }
    machines += (i == 0 ? "" : ", ") + html_text(page.label(i), 40);
  }
  return fmt::format("{} on {}", html_text(model, 80), machines);
}

void add_header(std::string& out, const Page& page) {
  out +=
      fmt::format("<header><p class=\"brand\">tokencycle report</p><h1>{}</h1></header>\n", headline(page));
  out += "<div class=\"sticky\"><nav aria-label=\"Sections\"><ul>";
  for (const Link& link : kLinks) {
    if (page.results.size() < 2 && std::string_view(link.id) == "reasons") continue;
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>", link.id, link.name);
  }
  out += "</ul></nav>";
  // The script shows one result of several at a time; without it all are there.
  if (page.results.size() > 1) {
    out += "<label class=\"chooser script\">Show <select id=\"chooser\">";
    for (std::size_t i = 0; i < page.results.size(); ++i) {
      out += fmt::format("<option value=\"{}\"{}>{}</option>", i, i == page.shown() ? " selected" : "",
                         html_text(page.label(i), 40));
    }
    out += "</select></label>";
  }
  out += "</div>\n";
}

std::string page_html(const Page& page) {
  std::string out(page_head());
  out += fmt::format("<title>{} · tokencycle report</title>\n", headline(page));
  out += fmt::format(
      "<style>\n{}\n{}\n{}\n{}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#summary\">To the "
      "summary</a>\n",
      uplot_css(), page_css(), charts_css(), print_css());
  out += shapes();
  add_header(out, page);
  out += "<main>\n";
  add_summary(out, page);
  add_reasons(out, page);
  add_tokens(out, page);
  add_tree(out, page);
  add_roofline(out, page);
  add_timeline(out, page);
  add_pipeline(out, page);
  add_operators(out, page);
  add_details(out, page);
  out += fmt::format(
      "</main>\n<footer><p>Written by tokencycle {}. This page loads nothing from anywhere.</p></footer>\n",
      html_text(page.results[page.baseline()].version, 20));
  out += fmt::format("<script type=\"application/octet-stream\" id=\"data\">{}</script>\n", page_data(page));
  out += fmt::format(
      "<script>\n/* uPlot {} */\n{}</script>\n<script>\n{}\n{}\n{}\n{}</script>\n</body>\n</html>\n",
      "(MIT; its licence is above)", uplot_js(), page_js(), timeline_js(), pipeline_view_js(), pipeline_js());
  return out;
}

// Less and less of what a large page can do without; most pipeline rows go first.
constexpr std::array<Detail, 13> kDetails = {{{8192, 0, 512, 200, 2000},
                                              {4096, 0, 512, 200, 2000},
                                              {2048, 0, 512, 200, 2000},
                                              {1024, 0, 512, 200, 2000},
                                              {512, 0, 512, 200, 2000},
                                              {256, 0.0005, 512, 100, 1000},
                                              {256, 0.001, 256, 100, 400},
                                              {256, 0.002, 128, 60, 200},
                                              {256, 0.005, 64, 40, 100},
                                              {128, 0.005, 64, 40, 100},
                                              {0, 0.005, 64, 40, 100},
                                              {0, 0.01, 32, 30, 40},
                                              {0, 0.05, 16, 20, 10}}};

}  // namespace

std::size_t report_bytes(std::size_t results) {
  return std::min(kReportBytes + kFurtherBytes * (std::max<std::size_t>(results, 1) - 1), kMostReportBytes);
}

std::string report_html(const std::vector<Result>& results, std::size_t baseline) {
  const std::size_t most = report_bytes(results.size());
  Page page{results, compare(results, baseline), {}};
  for (const Detail& detail : kDetails) {
    page.detail = detail;
    std::string html = page_html(page);
    if (html.size() < most) return html;
  }
  throw UsageError(
      fmt::format("{} results do not fit into one page of {} bytes, even with the least detail; give fewer",
                  results.size(), count_text(most)));
}

}  // namespace tokencycle::explore
