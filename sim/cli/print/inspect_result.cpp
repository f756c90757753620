// SPDX-License-Identifier: Apache-2.0
// tokencycle inspect: results of runs.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "cli/print/inspect.h"
#include "explore/result/document.h"
#include "explore/result/node.h"
#include "explore/result/text.h"
#include "host/result/result.h"

namespace tokencycle::cli {

using Json = nlohmann::ordered_json;

namespace {

// Results come from anywhere as well.
std::string text_value(const Json& value) {
  return printable(value.get<std::string>(), 200);
}

// Memory channels do the same things: one line for all of them together.
std::string counters_text(const Json& counters) {
  struct Line {
    std::string name, unit;
    std::uint64_t value;
  };
  std::vector<Line> lines;
  std::map<std::string, std::size_t> at;
  for (const Json& c : counters) {
    std::string name = text_value(c.at("name"));
    if (name.starts_with("dram.channel")) name = "dram, all channels" + name.substr(name.rfind('.'));
    const auto [line, added] = at.emplace(name, lines.size());
    if (added) lines.push_back({name, text_value(c.at("unit")), 0});
    std::uint64_t& sum = lines[line->second].value;
    sum = explore::add_counts(sum, c.at("value").get<std::uint64_t>());
  }
  std::string text = "\ncounters\n";
  for (const Line& l : lines)
    text += fmt::format("  {:<42} {:>16} {}\n", l.name, with_separators(l.value), l.unit);
  return text;
}

// Of one phase: its operators' cycles, what most of them were spent on, and rates over each operator's span.
// Older results have cycles alone.
std::string operators_text(const Json& result, const char* phase) {
  std::uint64_t all = 0;
  for (const Json& o : result.at("operators")) all += o.at(phase).at("cycles").get<std::uint64_t>();
  if (all == 0) return {};
  const double ghz = result.at("configuration").at("values").at("clock_ghz").get<double>();
  std::string text = fmt::format("\noperators, {:<13} {:>14} {:>7}  {:<17} {:>8} {:>8}\n", phase, "cycles",
                                 "share", "critical resource", "GB/s", "GMAC/s");
  for (const Json& o : result.at("operators")) {
    const Json& use = o.at(phase);
    const auto cycles = use.at("cycles").get<std::uint64_t>();
    std::string line =
        fmt::format("  {:<22} {:>14} {:>5.1f} %", text_value(o.at("name")), with_separators(cycles),
                    100 * static_cast<double>(cycles) / static_cast<double>(all));
    if (use.contains("critical")) {
      const double ns = use.at("span_cycles").get<double>() / ghz;
      const auto rate = [ns](double work) { return ns == 0 ? 0.0 : work / ns; };
      line += fmt::format("  {:<17} {:>8.2f} {:>8.2f}",
                          use["critical"].is_null() ? "-" : text_value(use["critical"]),
                          rate(use.at("loaded_bytes").get<double>() + use.at("stored_bytes").get<double>()),
                          rate(use.at("multiply_accumulates").get<double>()));
    }
    text += line + '\n';
  }
  return text;
}

std::size_t longest_prompt(const Json& result) {
  std::size_t most = result.at("prompt_tokens").size();
  for (const Json& s : result.value("sequences", Json::array()))
    most = std::max(most, s.at("prompt_tokens").size());
  return most;
}

// Bytes and energy of DRAM for each token of the two phases, and whether the prompt's batches are too small.
std::string phases_text(const Json& result) {
  const Json phases = result.value("phases", Json::object());
  std::string text;
  for (const auto& [name, of] : {std::pair("prefill", "prompt"), std::pair("decode", "decode")}) {
    if (!phases.contains(name)) continue;
    const Json& phase = phases.at(name);
    const auto tokens = phase.at("tokens").get<double>();
    if (tokens == 0) continue;
    double bytes = 0;
    for (const char* part : {"loaded_bytes", "stored_bytes", "instruction_bytes"})
      bytes += phase.at(part).get<double>();
    const Json& energy = phase.at("dram_pj");
    text += fmt::format(
        "{:<10} {} bytes of DRAM{} for each {} token\n", name,
        with_separators(static_cast<std::uint64_t>(bytes / tokens + 0.5)),
        energy.is_null() ? "" : fmt::format(" and {:.4g} uJ", energy.get<double>() * 1e-6 / tokens), of);
  }
  const Json& settings = result.at("settings");
  const Json small = settings.value("small_batch", Json());
  if (small.is_null()) return text;
  const compiler::SmallBatch batch{
      settings.at("batch").get<std::uint32_t>(), small.at("useful_tokens").get<std::uint32_t>(),
      small.at("scratchpad_kib").is_null() ? 0 : small["scratchpad_kib"].get<std::uint32_t>()};
  if (batch.tokens == 0) return text;
  return text + fmt::format("batch      {}\n", host::small_batch_text(batch, longest_prompt(result)));
}

// One line per sequence; the table of tokens behind has one line per step, with the first one's.
std::string sequences_text(const Json& result) {
  std::string text = fmt::format("\n  {:>8} {:>7} {:>7} {:>14} {:>10}  text\n", "sequence", "prompt", "new",
                                 "first ends at", "tokens/s");
  std::size_t index = 0;
  for (const Json& s : result.at("sequences")) {
    const auto number = [](const Json& value) {
      return value.is_null() ? "-" : with_separators(value.get<std::uint64_t>());
    };
    const Json& rate = s.at("tokens_per_second");
    text += fmt::format("  {:>8} {:>7} {:>7} {:>14} {:>10}  {}\n", index++,
                        with_separators(s.at("prompt_tokens").size()), with_separators(s.at("ids").size()),
                        number(s.at("first_end")), rate.is_null() ? "-" : rate_text(rate.get<double>()),
                        Json(s.at("text")).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return text;
}

std::string result_text(const Json& result, const std::string& source) {
  std::string text = fmt::format(
      "result     {}\nmodel      {} ({})\nmachine    {} ({})\n", source,
      text_value(result.at("model").at("file")), text_value(result.at("model").at("digest")),
      text_value(result.at("configuration").at("name")), text_value(result.at("configuration").at("digest")));
  if (result.contains("interrupted_at")) {
    text += fmt::format("ended      interrupted at cycle {}, with {} tokens complete\n",
                        with_separators(result["interrupted_at"].get<std::uint64_t>()),
                        result.at("tokens").size());
  }
  text += phases_text(result);
  if (result.contains("sequences")) text += sequences_text(result);
  text += fmt::format("\n  {:>4} {:>7} {:<8} {:>14} {:>14}  text\n", "", "id", "phase", "cycles", "ends at");
  std::size_t index = 0;
  for (const Json& t : result.at("tokens")) {
    text += fmt::format("  {:>4} {:>7} {:<8} {:>14} {:>14}  {}\n", index++, t.at("id").get<std::uint64_t>(),
                        text_value(t.at("phase")), with_separators(t.at("cycles").get<std::uint64_t>()),
                        with_separators(t.at("end").get<std::uint64_t>()),
                        Json(t.at("text")).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  for (const char* phase : {"prefill", "decode"}) text += operators_text(result, phase);
  return text + counters_text(result.at("counters"));
}

}  // namespace

Inspected inspect_result(const std::string& text, const std::string& source) {
  const Json result = explore::parse_result_text(text, source);
  explore::parse_result(result, source);  // a damaged one is refused
  try {
    return {result_text(result, source), {result, "tokens"}};
  } catch (const Json::exception& error) {
    throw IoError(fmt::format("{}: this is not a whole tokencycle result: {}", source, error.what()));
  }
}

}  // namespace tokencycle::cli
