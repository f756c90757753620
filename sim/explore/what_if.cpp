// SPDX-License-Identifier: Apache-2.0
#include "explore/what_if.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t saved(std::uint64_t base, std::uint64_t cycles) {
  return static_cast<std::int64_t>(base) - static_cast<std::int64_t>(cycles);
}

double percent(std::int64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string signed_text(std::int64_t value) {
  const std::string digits = with_separators(static_cast<std::uint64_t>(value < 0 ? -value : value));
  return value < 0 ? "-" + digits : digits;
}

Json cycles_json(const PhaseCycles& cycles) {
  return {{"prefill_cycles", cycles.prefill}, {"decode_cycles", cycles.decode}, {"cycles", cycles.total()}};
}

}  // namespace

PhaseCycles phase_cycles(const Result& result) {
  PhaseCycles sum;
  for (const ResultToken& token : result.tokens) {
    (token.phase == "prefill" ? sum.prefill : sum.decode) += token.cycles;
  }
  return sum;
}

void sort_by_gain(WhatIf& what_if) {
  std::stable_sort(what_if.changes.begin(), what_if.changes.end(),
                   [](const WhatIfChange& a, const WhatIfChange& b) {
                     if (!a.cycles || !b.cycles) return a.cycles.has_value() && !b.cycles;
                     return a.cycles->total() < b.cycles->total();
                   });
}

std::string what_if_text(const WhatIf& w) {
  std::size_t width = std::string_view("as it is").size();
  for (const WhatIfChange& change : w.changes) {
    if (change.cycles) width = std::max(width, change.text.size());
  }
  const auto row = [width](const std::string& name, const std::string& prefill, const std::string& decode,
                           const std::string& total, const std::string& share) {
    std::string line =
        fmt::format("{:<{}} {:>16} {:>16} {:>16} {:>10}", name, width, prefill, decode, total, share);
    return line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  };
  std::string text = fmt::format("machine  {}; {} tokens of the prompt, {} new{}\n\n", w.machine,
                                 with_separators(w.prompt_tokens), with_separators(w.new_tokens),
                                 w.timing_only ? ", timing only" : "");
  text += row("cycles", "prefill", "decode", "total", "");
  text += row("as it is", with_separators(w.base.prefill), with_separators(w.base.decode),
              with_separators(w.base.total()), "");
  text += '\n' + row("saved, alone", "", "", "", "of all");
  std::string refused;
  for (const WhatIfChange& change : w.changes) {
    if (!change.cycles) {
      refused +=
          fmt::format("{}: cannot be run (exit code {}): {}\n", change.text, change.code, change.reason);
      continue;
    }
    const std::int64_t total = saved(w.base.total(), change.cycles->total());
    text += row(change.text, signed_text(saved(w.base.prefill, change.cycles->prefill)),
                signed_text(saved(w.base.decode, change.cycles->decode)), signed_text(total),
                fmt::format("{:.1f} %", percent(total, w.base.total())));
  }
  return refused.empty() ? text : text + '\n' + refused;
}

Json what_if_json(const WhatIf& w) {
  Json json = {{"schema", "tokencycle-what-if-1"}, {"machine", w.machine},
               {"prompt_tokens", w.prompt_tokens}, {"new_tokens", w.new_tokens},
               {"timing_only", w.timing_only},     {"base", cycles_json(w.base)},
               {"changes", Json::array()}};
  for (const WhatIfChange& change : w.changes) {
    Json record = {{"change", change.text}, {"set", change.sets}};
    for (const char* key : {"prefill_cycles", "decode_cycles", "cycles", "prefill_saved_cycles",
                            "decode_saved_cycles", "saved_cycles", "saved_percent"}) {
      record[key] = nullptr;
    }
    if (change.cycles) {
      record.update(cycles_json(*change.cycles));
      const std::int64_t total = saved(w.base.total(), change.cycles->total());
      record["prefill_saved_cycles"] = saved(w.base.prefill, change.cycles->prefill);
      record["decode_saved_cycles"] = saved(w.base.decode, change.cycles->decode);
      record["saved_cycles"] = total;
      record["saved_percent"] = percent(total, w.base.total());
    }
    record["exit_code"] = change.code;
    record["reason"] = change.cycles ? Json() : Json(change.reason);
    json["changes"].push_back(std::move(record));
  }
  return json;
}

}  // namespace tokencycle::explore
