// SPDX-License-Identifier: Apache-2.0
// Cycles of each token as a stack of causes, one scale for all results.
#include <fmt/format.h>

#include <algorithm>

#include "explore/page/chart.h"
#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

constexpr double kHeight = 220;  // pixels of the plot

// The mean of one or several neighbouring tokens.
struct Bar {
  std::size_t first = 0, last = 0;
  double cycles = 0;
  observe::Stack stack{};  // sum
  std::size_t tokens() const { return last - first + 1; }
};

std::vector<Bar> bars_of(const Result& result, std::size_t most) {
  std::vector<Bar> bars;
  const std::size_t count = result.tokens.size();
  // The first token is on its own: it is the prompt's.
  const std::size_t group = count <= most ? 1 : (count - 1 + most - 2) / (most - 1);
  for (std::size_t at = 0; at < count;) {
    Bar bar;
    bar.first = at;
    bar.last = at == 0 ? 0 : std::min(count, at + group) - 1;
    for (; at <= bar.last; ++at) {
      for (std::size_t i = 0; i < bar.stack.size(); ++i) bar.stack[i] += result.tokens[at].stack[i];
    }
    bar.cycles = cycles_of(bar.stack) / static_cast<double>(bar.tokens());
    bars.push_back(bar);
  }
  return bars;
}

// The largest bar; a first token of more than twice all others is cut, so that the others can be seen.
double top_of(const std::vector<std::vector<Bar>>& all) {
  double first = 0, others = 0;
  for (const std::vector<Bar>& bars : all) {
    for (const Bar& bar : bars) {
      double& largest = bar.first == 0 ? first : others;
      largest = std::max(largest, bar.cycles);
    }
  }
  return nice_top(others > 0 && first > 2 * others ? 1.15 * others : std::max(first, others));
}

std::string title_of(const Result& result, const Bar& bar) {
  const ResultToken& token = result.tokens[bar.first];
  const std::string text =
      bar.tokens() == 1
          ? fmt::format("token {} “{}”, {}", bar.first, html_text(token.text, 24), html_text(token.phase, 10))
          : fmt::format("mean of the tokens {} to {}", bar.first, bar.last);
  return text + fmt::format(": {} cycles; {}", number_text(bar.cycles), causes_text(bar.stack, 4));
}

void add_bar(LinearChart& chart, const Result& result, const Bar& bar, double left, double width) {
  // A bar that is too high keeps its proportions and is marked at its top.
  const bool cut = bar.cycles > chart.top_y;
  const double scale = (cut ? chart.top_y / bar.cycles : 1.0) / static_cast<double>(bar.tokens());
  chart.body += fmt::format("<g class=\"b\"><title>{}</title>", title_of(result, bar));
  double below = 0;
  for (std::size_t i = 0; i < bar.stack.size(); ++i) {
    if (bar.stack[i] == 0) continue;
    const double bottom = chart.y(below);
    below += static_cast<double>(bar.stack[i]) * scale;
    const double top = chart.y(below);
    if (bottom - top < 0.25) continue;
    chart.body +=
        fmt::format("<rect class=\"k{}\" x=\"{:.2f}%\" y=\"{:.1f}\" width=\"{:.2f}%\" height=\"{:.1f}\"/>", i,
                    left, top, width, bottom - top);
  }
  if (cut) {
    chart.body += fmt::format(
        "<rect class=\"cut\" x=\"{:.2f}%\" y=\"10\" width=\"{:.2f}%\" height=\"4\"/><text class=\"note\" "
        "x=\"{:.2f}%\" y=\"-8\" dx=\"0\" text-anchor=\"start\">{}</text>",
        left, width, left + width, number_text(bar.cycles) + " cycles");
  }
  chart.body += "</g>\n";
}

void add_chart(std::string& out, const Page& page, std::size_t i, const std::vector<Bar>& bars, double top) {
  const Result& result = page.results[i];
  LinearChart chart{0, top, kHeight, "", "", ""};
  chart.x_title = "token, in the order of generation";
  const auto count = static_cast<double>(bars.size());
  const double slot = 100 / std::max(count, 8.0), gap = count > 100 ? 0.06 : 0.16;
  const std::size_t step = std::max<std::size_t>(1, (bars.size() + 11) / 12);
  for (std::size_t b = 0; b < bars.size(); ++b) {
    const double left = slot * (static_cast<double>(b) + gap / 2);
    add_bar(chart, result, bars[b], left, slot * (1 - gap));
    if (b % step != 0) continue;
    chart.body += fmt::format(
        "<text class=\"tick\" x=\"{:.2f}%\" y=\"{:.0f}\" dy=\"18\" text-anchor=\"middle\">{}</text>",
        slot * (static_cast<double>(b) + 0.5), kHeight, bars[b].first);
  }
  const Figures& f = page.comparison.figures[i];
  const bool grouped = bars.size() < result.tokens.size();
  const std::string description = fmt::format(
      "{} tokens{}; the first takes {} cycles, the median decode token {}.", count_text(result.tokens.size()),
      grouped ? fmt::format(", {} in a bar", bars.back().tokens()) : "",
      f.first_token ? count_text(*f.first_token) : "no",
      f.decode_median ? count_text(*f.decode_median) : "none");
  out += fmt::format("<h3>{}</h3>\n", html_text(page.label(i)));
  if (grouped) {
    out += fmt::format(
        "<p class=\"small\">Each bar behind the first is the mean of up to {} neighbouring tokens.</p>\n",
        bars.size() > 1 ? bars[1].tokens() : 1);
  }
  out += chart.svg("stacks", "Cycles of each token by cause on " + html_text(page.label(i)), description);
}

}  // namespace

void add_tokens(std::string& out, const Page& page) {
  open_section(
      out, "tokens", "Cycles per token",
      "Every cycle has one cause. A first token far above the others is cut and marked; its figure stands "
      "beside it. All results have the same scale.");
  out += legend(page);
  std::vector<std::vector<Bar>> all;
  all.reserve(page.results.size());
  for (const Result& result : page.results) all.push_back(bars_of(result, page.detail.token_bars));
  const double top = top_of(all);
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    if (all[i].empty()) continue;
    add_chart(out, page, i, all[i], top);
  }
  out += "</section>\n";
}

}  // namespace tokencycle::explore
