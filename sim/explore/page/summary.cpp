// SPDX-License-Identifier: Apache-2.0
// The first section: each result's figures, on a card and in a table.
#include <fmt/format.h>

#include <functional>
#include <optional>

#include "base/text.h"
#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

// A figure of the table, how it is written, and how a change of it is judged.
struct SummaryRow {
  const char* name;
  std::function<std::optional<double>(std::size_t)> value;
  std::function<std::string(double)> text;
  bool compares = true;
};

std::string shown(std::optional<double> value, const std::function<std::string(double)>& text) {
  return value ? text(*value) : "–";
}

std::string number(const nlohmann::ordered_json& values, const std::string& pointer) {
  const nlohmann::ordered_json::json_pointer at(pointer);
  if (!values.contains(at)) return "?";
  const nlohmann::ordered_json& value = values.at(at);
  return html_text(value.is_string() ? value.get<std::string>() : value.dump(), 30);
}

// "32 x 32 weight-stationary array, 1 GHz, 512 KiB scratchpad, 38.4 GB/s DRAM": HTML.
std::string machine_text(const Result& result) {
  const nlohmann::ordered_json& v = result.values;
  return fmt::format("{} × {} {} array, {} vector lanes, {} KiB scratchpad, {:g} GB/s DRAM, {:g} GHz",
                     number(v, "/matrix/rows"), number(v, "/matrix/columns"), number(v, "/matrix/dataflow"),
                     number(v, "/vector/lanes"), number(v, "/scratchpad/capacity_kib"),
                     result.peak_dram_gb_per_s, result.clock_ghz);
}

double dram_gb_per_s(const Result& result, const Figures& figures) {
  if (result.cycles == 0) return 0;
  return figures.dram_bus_share * static_cast<double>(figures.dram_bytes) /
         static_cast<double>(result.cycles) * result.clock_ghz;
}

std::vector<SummaryRow> rows_of(const Page& page) {
  const auto figure = [&page](auto member) {
    return [&page, member](std::size_t i) -> std::optional<double> {
      const auto value = page.comparison.figures[i].*member;
      if constexpr (std::is_arithmetic_v<std::remove_const_t<decltype(value)>>) {
        return static_cast<double>(value);
      } else {
        return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
      }
    };
  };
  const auto result = [&page](auto read) {
    return [&page, read](std::size_t i) { return std::optional<double>(read(page.results[i])); };
  };
  const auto whole = [](double v) { return number_text(v); };
  const auto rate = [](double v) { return number_text(v, rate_decimals(v)); };
  const auto tenth = [](double v) { return number_text(v, 1); };
  const auto percent = [](double v) { return number_text(v, 1) + " %"; };
  const auto energy = [&page](std::size_t i) -> std::optional<double> {
    const std::optional<DramEnergy>& e = page.results[i].dram_energy;
    return e ? std::optional(e->total_pj * 1e-9) : std::nullopt;
  };
  const auto bandwidth = [&page](std::size_t i) {
    return std::optional(dram_gb_per_s(page.results[i], page.comparison.figures[i]));
  };
  return {
      {"first token, cycles", figure(&Figures::first_token), whole},
      {"decode token, median, cycles", figure(&Figures::decode_median), whole},
      {"decode token, maximum, cycles", figure(&Figures::decode_max), whole},
      {"tokens per second at the clock", figure(&Figures::tokens_per_second), rate},
      {"time a decode token, µs", figure(&Figures::us_per_token), tenth},
      {"all cycles", figure(&Figures::cycles), whole},
      {"prompt tokens", result([](const Result& r) { return double(r.prompt_count()); }), whole, false},
      {"sequences", result([](const Result& r) { return double(r.settings.sequences); }), whole, false},
      {"new tokens", result([](const Result& r) {
         return double(r.decode_count() + (r.tokens.empty() ? 0 : r.tokens.front().sequences));
       }),
       whole, false},
      {"array busy", figure(&Figures::matrix_busy), percent},
      {"vector unit busy", figure(&Figures::vector_busy), percent},
      {"DRAM buses busy", figure(&Figures::dram_busy), percent},
      {"DRAM, GB/s", bandwidth, [](double v) { return number_text(v, 2); }},
      {"DRAM, bytes", figure(&Figures::dram_bytes), whole},
      {"DRAM, bytes per prompt token", figure(&Figures::prefill_bytes), whole},
      {"DRAM, bytes per decode token", figure(&Figures::decode_bytes), whole},
      {"DRAM energy, mJ", energy, [](double v) { return number_text(v, 3); }},
      {"DRAM energy per prompt token, µJ", figure(&Figures::prefill_uj), tenth},
      {"DRAM energy per decode token, µJ", figure(&Figures::decode_uj), tenth},
      {"DRAM energy, pJ/bit", figure(&Figures::pj_per_bit), tenth},
  };
}

void add_table(std::string& out, const Page& page) {
  open_table(out, "Figures of each result; differences are to the baseline", "figures");
  out += "<thead><tr><th scope=\"col\">figure</th>";
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    out += fmt::format("<th scope=\"col\" class=\"n\">{}</th>", html_text(page.label(i), 40));
  }
  out += "</tr></thead><tbody>\n";
  for (const SummaryRow& row : rows_of(page)) {
    const std::optional<double> base = row.value(page.baseline());
    out += fmt::format("<tr><th scope=\"row\">{}</th>", row.name);
    for (std::size_t i = 0; i < page.results.size(); ++i) {
      const std::optional<double> value = row.value(i);
      out += "<td class=\"n\">" + shown(value, row.text);
      if (row.compares && i != page.baseline() && base && value && *base != 0) {
        out += fmt::format(" <small>{}</small>", change_text(*base, *value));
      } else if (i != page.baseline()) {
        out += " <small></small>";  // figures stand below each other
      }
      out += "</td>";
    }
    out += "</tr>\n";
  }
  out += kCloseTable;
}

// The mean decode token's causes, or the first token's where there is no other.
observe::Stack token_stack(const Result& result) {
  observe::Stack stack{};
  for (const ResultToken& t : result.tokens) {
    if (result.tokens.size() > 1 && t.phase != "decode") continue;
    for (std::size_t i = 0; i < stack.size(); ++i) stack[i] += t.stack[i];
  }
  return stack;
}

void add_item(std::string& out, const char* name, const std::string& value) {
  out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value);
}

void add_card(std::string& out, const Page& page, std::size_t i) {
  const Result& r = page.results[i];
  const Figures& f = page.comparison.figures[i];
  const Figures& base = page.comparison.figures[page.baseline()];
  const bool decodes = f.decode_median.has_value();
  const auto main_figure = [&](const Figures& g) {
    return static_cast<double>(decodes ? g.decode_median.value_or(0) : g.first_token.value_or(0));
  };
  out += fmt::format(
      "<article class=\"card\"><h3>{}{}</h3><p class=\"about\">{}</p>\n", html_text(page.label(i)),
      page.results.size() > 1 && i == page.baseline() ? " <span class=\"tag\">baseline</span>" : "",
      machine_text(r));
  out += fmt::format("<p class=\"big\">{}", number_text(main_figure(f)));
  if (i != page.baseline() && main_figure(base) != 0) {
    out += fmt::format(" <b class=\"change\">{}</b>", change_text(main_figure(base), main_figure(f)));
  }
  out += fmt::format(" <span>cycles {}</span></p>\n",
                     decodes ? "a decode token (median)" : "for the first token");
  const observe::Stack stack = token_stack(r);
  out += fmt::format("{}<p class=\"small\">{}</p><dl>", stack_bar(stack, cycles_of(stack)),
                     causes_text(stack, 3));
  add_item(out, "speed",
           f.tokens_per_second
               ? number_text(*f.tokens_per_second, rate_decimals(*f.tokens_per_second)) + " tokens/s"
               : "–");
  add_item(out, "first token", f.first_token ? count_text(*f.first_token) + " cycles" : "–");
  add_item(out, "array busy", number_text(f.matrix_busy, 1) + " %");
  add_item(out, "DRAM",
           fmt::format("{} GB/s of {:g}", number_text(dram_gb_per_s(r, f), 1), r.peak_dram_gb_per_s));
  const auto per_token = [](std::optional<double> prompt, std::optional<double> decode, const auto& text) {
    std::string line;
    if (prompt) line += text(*prompt) + " per prompt token";
    if (decode) line += (line.empty() ? "" : ", ") + text(*decode) + " per decode token";
    return line;
  };
  const auto bytes = [](double v) { return bytes_text(static_cast<std::uint64_t>(v)); };
  const auto energy = [](double v) { return number_text(v, 1) + " µJ"; };
  const std::string moved = per_token(f.prefill_bytes, f.decode_bytes, bytes),
                    used = per_token(f.prefill_uj, f.decode_uj, energy);
  add_item(out, "DRAM moved", moved.empty() ? bytes_text(f.dram_bytes) : moved);
  add_item(out, "DRAM energy", used.empty() ? "none published" : used);
  out += "</dl></article>\n";
}

void add_text(std::string& out, const Page& page) {
  const Result& r = page.results[page.baseline()];
  const std::string text = r.settings.timing_only ? std::string() : r.text;
  if (r.settings.prompt.empty() && text.empty()) return;
  out += fmt::format("<blockquote><p><span class=\"sr\">Prompt: </span><q>{}</q>",
                     html_block(r.settings.prompt, 600));
  if (!text.empty()) out += fmt::format("<span class=\"sr\"> Generated: </span>{}", html_block(text, 1200));
  out += "</p></blockquote>\n";
}

}  // namespace

void add_summary(std::string& out, const Page& page) {
  open_section(out, "summary", "Summary", "");
  for (const std::string& warning : page.comparison.warnings) {
    out += fmt::format("<p class=\"warning\"><b>Note</b> {}</p>\n", html_text(warning, 600));
  }
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    if (!page.results[i].interrupted_at) continue;
    out += fmt::format(
        "<p class=\"warning\"><b>Note</b> {} was interrupted at cycle {}; its figures are of the tokens "
        "before.</p>\n",
        html_text(page.label(i)), count_text(*page.results[i].interrupted_at));
  }
  out += "<div class=\"cards\">\n";
  for (std::size_t i = 0; i < page.results.size(); ++i) add_card(out, page, i);
  out += "</div>\n";
  add_text(out, page);
  add_table(out, page);
  out += "</section>\n";
}

}  // namespace tokencycle::explore
