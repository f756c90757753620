// SPDX-License-Identifier: Apache-2.0
// The last section: all counters, and where the figures come from.
#include <fmt/format.h>

#include <algorithm>

#include "explore/page/assets.h"
#include "explore/page/page.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

constexpr std::size_t kMostRows = 600;  // rows: 45 and 16 a DRAM channel

void add_counters(std::string& out, const Result& result, const std::string& label) {
  out += fmt::format("<details><summary>All {} counters</summary>\n", count_text(result.counters.size()));
  open_table(out, "Counters of " + label, "counters sortable filtered");
  out +=
      "<thead><tr><th scope=\"col\">counter</th><th scope=\"col\" class=\"n\">value</th><th "
      "scope=\"col\">unit</th><th scope=\"col\">meaning</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(kMostRows, result.counters.size()); ++i) {
    const ResultCounter& c = result.counters[i];
    out +=
        fmt::format("<tr><th scope=row><code>{}</code></th><td class=n>{}</td><td>{}</td><td>{}</td></tr>\n",
                    html_text(c.name), count_text(c.value), html_text(c.unit, 30), html_text(c.meaning, 200));
  }
  out += kCloseTable;
  if (result.counters.size() > kMostRows) {
    out += fmt::format("<p class=\"small\">The first {} of them; the result has all.</p>\n", kMostRows);
  }
  out += "</details>\n";
}

void add_states(std::string& out, const Result& result, const std::string& label) {
  out += "<details><summary>States of all units</summary>\n";
  open_table(out, "Cycles of the units of " + label + " by state; each unit's sum to all cycles",
             "states sortable");
  out +=
      "<thead><tr><th scope=\"col\">unit</th><th scope=\"col\">state</th><th scope=\"col\" "
      "class=\"n\">cycles</th></tr></thead><tbody>\n";
  for (const ResultUnit& unit : result.units) {
    for (const auto& [state, cycles] : unit.states) {
      out += fmt::format("<tr><th scope=row>{}</th><td>{}</td><td class=n>{}</td></tr>\n",
                         html_text(unit.name, 40), html_text(state, 40), count_text(cycles));
    }
  }
  out += std::string(kCloseTable) + "</details>\n";
}

std::string sampler_text(const ResultSettings& s) {
  if (s.temperature == 0) return "the likeliest token";
  return fmt::format("temperature {:g}, top-k {}, top-p {:g}, seed {}", s.temperature, s.top_k.value_or(0),
                     s.top_p.value_or(1), s.seed.value_or(0));
}

void add_provenance(std::string& out, const Result& r, const std::string& label) {
  const ResultSettings& s = r.settings;
  open_table(out, "Where the figures of " + label + " come from", "provenance");
  out += "<tbody>\n";
  const auto row = [&](const char* name, const std::string& value) {
    out += fmt::format("<tr><th scope=row>{}</th><td>{}</td></tr>\n", name, html_text(value, 400));
  };
  row("result", r.source);
  row("tokencycle", r.version);
  row("model", fmt::format("{}: {}, {} weights, shapes from {}", r.model.file, r.model.architecture,
                           r.model.weights, r.model.shapes_from));
  row("model's name", r.model.name);
  row("machine", r.machine);
  row("prompt and new tokens",
      fmt::format("{} of the prompt ({}), {} asked for ({}), {} made{}; stopped by {}", r.prompt_count(),
                  s.prompt_ids, s.new_tokens, s.new_ids, r.tokens.size(),
                  s.sequences > 1 ? fmt::format(" of each of {} sequences at most", s.sequences) : "",
                  r.stop_reason));
  row("choice of tokens", sampler_text(s));
  row("KV cache", fmt::format("{} positions of {}", s.context, s.kv_format));
  row("prompt tokens a step", fmt::format("at most {}", s.batch));
  row("values", s.timing_only                 ? "none: cycles alone"
                : s.checked_against_reference ? "every operator checked against the reference, bit for bit"
                                              : "computed");
  row("digest of the model", r.model.digest);
  row("digest of the machine", r.machine_digest);
  row("digest of the program", r.program_digest);
  row("digest of all events", r.event_digest);
  row("energies", r.dram_energy ? r.dram_energy->source : r.no_energy_reason);
  out += kCloseTable;
}

}  // namespace

void add_details(std::string& out, const Page& page) {
  open_section(out, "details", "Counters and provenance", "");
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    const std::string label = html_text(page.label(i));
    open_result(out, page, i);
    add_provenance(out, page.results[i], label);
    add_states(out, page.results[i], label);
    add_counters(out, page.results[i], label);
    out += "</div>\n";
  }
  out += "<details><summary>Licence of the chart library (uPlot)</summary><pre>" +
         html_block(uplot_licence(), 4000) + "</pre></details>\n</section>\n";
}

}  // namespace tokencycle::explore
