// SPDX-License-Identifier: Apache-2.0
// Pieces of HTML that several sections have.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

using observe::Cause;

std::string_view page_head() {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; "
         "script-src 'unsafe-inline'; img-src data:\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
         "content=\"no-referrer\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n";
}

void open_section(std::string& out, const std::string& id, const std::string& heading,
                  const std::string& lead) {
  out +=
      fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-h\"><h2 id=\"{0}-h\">{1}</h2>\n", id, heading);
  if (!lead.empty()) out += "<p class=\"lead\">" + lead + "</p>\n";
}

void open_result(std::string& out, const Page& page, std::size_t result) {
  out += fmt::format("<div class=\"one\" data-result=\"{}\">\n", result);
  if (page.results.size() > 1) out += fmt::format("<h3>{}</h3>\n", html_text(page.label(result)));
}

void open_table(std::string& out, const std::string& caption, const std::string& classes) {
  out += fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"group\"><table class=\"{}\"><caption>{}</caption>\n",
      classes, caption);
}

std::string stack_bar(const observe::Stack& stack, double whole) {
  constexpr double kThinnest = 0.3;  // percent of the full width
  std::string bar = "<span class=\"bar\">";
  for (int i = 0; i < observe::kCauses && whole > 0; ++i) {
    const double width = 100 * static_cast<double>(stack[static_cast<std::size_t>(i)]) / whole;
    if (width >= kThinnest) bar += fmt::format("<i class=k{} style=width:{:.1f}%></i>", i, width);
  }
  return bar + "</span>";
}

double cycles_of(const observe::Stack& stack) {
  double sum = 0;
  for (const std::uint64_t cycles : stack) sum += static_cast<double>(cycles);
  return sum;
}

std::string causes_text(const observe::Stack& stack, std::size_t most) {
  std::vector<std::pair<std::uint64_t, int>> causes;
  for (int i = 0; i < observe::kCauses; ++i) {
    if (stack[static_cast<std::size_t>(i)] != 0) causes.emplace_back(stack[static_cast<std::size_t>(i)], -i);
  }
  std::sort(causes.rbegin(), causes.rend());
  const double whole = cycles_of(stack);
  std::string text;
  for (std::size_t i = 0; i < std::min(most, causes.size()); ++i) {
    text +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", observe::name_of(static_cast<Cause>(-causes[i].second)),
                    share_text(static_cast<double>(causes[i].first), whole));
  }
  return text;
}

std::string legend(const Page& page) {
  std::string items;
  for (int i = 0; i < observe::kCauses; ++i) {
    const auto cause = static_cast<Cause>(i);
    const bool occurs = std::any_of(page.results.begin(), page.results.end(), [&](const Result& r) {
      return r.stack[static_cast<std::size_t>(i)] != 0;
    });
    if (!occurs) continue;
    items += fmt::format("<li><i class=\"key {}\"></i><b>{}</b><span>{}</span></li>\n", class_of(cause),
                         observe::name_of(cause), meaning_of(cause));
  }
  return "<ul class=\"legend\">" + items + "</ul>\n";
}

}  // namespace tokencycle::explore
