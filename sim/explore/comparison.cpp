// SPDX-License-Identifier: Apache-2.0
#include "explore/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "explore/differing.h"
#include "explore/result/node.h"

namespace tokencycle::explore {

namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

double unit_busy(const Result& result, const std::string& name) {
  const ResultUnit* unit = result.unit(name);
  return unit == nullptr ? 0.0 : percent(unit->cycles("busy"), result.cycles);
}

double dram_busy(const Result& result) {
  double sum = 0;
  std::size_t channels = 0;
  for (const ResultUnit& unit : result.units) {
    if (!unit.name.starts_with("dram.channel")) continue;
    sum += percent(unit.cycles("busy"), result.cycles);
    ++channels;
  }
  return channels == 0 ? 0.0 : sum / static_cast<double>(channels);
}

void add_decode(const Result& result, Figures& figures) {
  std::vector<std::uint64_t> cycles;
  std::vector<double> of_a_token;  // cycles: a step makes one of each sequence
  for (const ResultToken& t : result.tokens) {
    if (t.phase != "decode") continue;
    cycles.push_back(t.cycles);
    of_a_token.push_back(static_cast<double>(t.cycles) / static_cast<double>(t.sequences));
  }
  figures.decode_tokens = result.decode_count();
  if (cycles.empty()) return;
  std::sort(cycles.begin(), cycles.end());
  std::sort(of_a_token.begin(), of_a_token.end());
  const std::size_t middle = (cycles.size() - 1) / 2;
  figures.decode_median = cycles[middle];
  figures.decode_max = cycles.back();
  if (*figures.decode_median == 0) return;
  figures.tokens_per_second = result.clock_ghz * 1e9 / of_a_token[middle];
  figures.us_per_token = static_cast<double>(*figures.decode_median) / (result.clock_ghz * 1e3);
}

void add_phase(const std::optional<PhaseMemory>& phase, std::optional<double>& bytes,
               std::optional<double>& uj) {
  if (!phase || phase->tokens == 0) return;
  const auto tokens = static_cast<double>(phase->tokens);
  bytes = static_cast<double>(phase->moved_bytes()) / tokens;
  if (phase->dram_pj) uj = *phase->dram_pj * 1e-6 / tokens;
}

// The stack of a phase's tokens, and how many there are.
struct PhaseStack {
  std::uint64_t tokens = 0, cycles = 0;
  observe::Stack stack{};
};
PhaseStack phase_stack(const Result& result, const std::string& phase) {
  PhaseStack sum;
  for (const ResultToken& t : result.tokens) {
    if (t.phase != phase) continue;
    sum.tokens += t.sequences;
    sum.cycles += t.cycles;
    for (std::size_t i = 0; i < sum.stack.size(); ++i) sum.stack[i] += t.stack[i];
  }
  return sum;
}

std::optional<Reasons> reasons(const Result& baseline, const Result& result, const std::string& phase) {
  const PhaseStack a = phase_stack(baseline, phase), b = phase_stack(result, phase);
  if (a.tokens == 0 || b.tokens == 0) return std::nullopt;
  const auto mean = [](std::uint64_t cycles, const PhaseStack& of) {
    return static_cast<double>(cycles) / static_cast<double>(of.tokens);
  };
  Reasons r{a.tokens, b.tokens, a.cycles, b.cycles, mean(a.cycles, a), mean(b.cycles, b), {}};
  for (std::size_t i = 0; i < a.stack.size(); ++i) {
    if (a.stack[i] == 0 && b.stack[i] == 0) continue;
    r.changes.push_back(
        {static_cast<observe::Cause>(i), a.stack[i], b.stack[i], mean(a.stack[i], a), mean(b.stack[i], b)});
  }
  std::stable_sort(r.changes.begin(), r.changes.end(), [](const CauseChange& x, const CauseChange& y) {
    return std::abs(x.difference()) > std::abs(y.difference());
  });
  return r;
}

// UTF-8 that stays on one line of a terminal.
std::string printable(const std::string& name) {
  using Text = nlohmann::ordered_json;
  auto text = Text::parse(Text(name).dump(-1, ' ', false, Text::error_handler_t::replace)).get<std::string>();
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text.empty() ? "unnamed" : text;
}

std::string stem_of(const Result& result) {
  return std::filesystem::path(result.source).stem().string();
}

bool occurs_again(const std::vector<std::string>& all, const std::string& one) {
  return std::count(all.begin(), all.end(), one) > 1;
}

// The other bursts met a waiting write in a queue.
double bus_share(const Result& result) {
  std::uint64_t bursts = 0, met = 0;
  for (const ResultUnit& u : result.units) {
    if (!u.name.starts_with("dram.channel")) continue;
    const auto count = [&](const char* what) { return result.counter(u.name + what).value_or(0); };
    bursts = add_counts(bursts, add_counts(count(".reads"), count(".writes")));
    met = add_counts(met, add_counts(count(".forwarded"), count(".coalesced")));
  }
  return bursts == 0 ? 1 : 1 - static_cast<double>(std::min(met, bursts)) / static_cast<double>(bursts);
}

}  // namespace

Figures figures_of(const Result& result) {
  Figures f;
  f.cycles = result.cycles;
  if (!result.tokens.empty()) f.first_token = result.tokens.front().cycles;
  f.clock_ghz = result.clock_ghz;
  add_decode(result, f);
  f.matrix_busy = unit_busy(result, "matrix0");
  f.vector_busy = unit_busy(result, "vector0");
  f.dram_busy = dram_busy(result);
  for (const char* unit : {"fetch", "dma0.read", "dma0.write"}) {
    f.dram_bytes += result.counter(fmt::format("{}.moved_bytes", unit)).value_or(0);
  }
  f.dram_bus_share = bus_share(result);
  add_phase(result.prefill, f.prefill_bytes, f.prefill_uj);
  add_phase(result.decode, f.decode_bytes, f.decode_uj);
  if (result.dram_energy) f.pj_per_bit = result.dram_energy->pj_per_bit;
  f.technology = result.technology;
  return f;
}

std::vector<std::string> labels_of(const std::vector<Result>& results) {
  std::vector<std::string> names;
  names.reserve(results.size());
  for (const Result& r : results) names.push_back(printable(r.machine));
  std::vector<std::string> labels = names;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (occurs_again(names, names[i])) labels[i] = printable(stem_of(results[i]));
  }
  const std::vector<std::string> before = labels;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (occurs_again(before, before[i])) labels[i] = fmt::format("{} #{}", before[i], i + 1);
  }
  return labels;
}

std::size_t find_baseline(const std::vector<Result>& results, const std::string& name) {
  const std::vector<std::string> labels = labels_of(results);
  const auto only_one = [&](const auto& name_of) -> std::optional<std::size_t> {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (name_of(i) != name) continue;
      if (found) return std::nullopt;
      found = i;
    }
    return found;
  };
  if (const auto i = only_one([&](std::size_t n) { return labels[n]; })) return *i;
  if (const auto i = only_one([&](std::size_t n) { return results[n].source; })) return *i;
  if (const auto i = only_one([&](std::size_t n) { return results[n].machine; })) return *i;
  if (const auto i = only_one([&](std::size_t n) { return stem_of(results[n]); })) return *i;
  throw UsageError(fmt::format("--baseline is '{}'; it must be one of: {}{}", name, fmt::join(labels, ", "),
                               did_you_mean(name, labels)));
}

Comparison compare(const std::vector<Result>& results, std::size_t baseline) {
  Comparison c;
  c.baseline = baseline;
  c.labels = labels_of(results);
  c.keys = differing_machine_keys(results);
  c.settings = differing_settings(results);
  c.warnings = warnings_of(results, baseline, c.labels);
  const Result& base = results[baseline];
  c.same_tokens = std::all_of(results.begin(), results.end(),
                              [&](const Result& r) { return same_tokens(base, r) && same_model(base, r); });
  for (const Result& r : results) {
    c.timing_only += r.settings.timing_only ? 1 : 0;
    c.figures.push_back(figures_of(r));
    c.first_token.push_back(reasons(base, r, "prefill"));
    c.decode.push_back(reasons(base, r, "decode"));
  }
  return c;
}

std::string percent_change(double baseline, double value) {
  if (baseline == 0) return "";
  const std::string text = fmt::format("{:+.1f} %", 100 * (value - baseline) / baseline);
  return text == "-0.0 %" || text == "+0.0 %" ? "0.0 %" : text;
}

}  // namespace tokencycle::explore
