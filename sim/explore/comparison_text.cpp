// SPDX-License-Identifier: Apache-2.0
// A comparison for people: tables of at most 100 columns.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/text.h"
#include "explore/comparison.h"
#include "explore/page/text.h"

namespace tokencycle::explore {

namespace {

constexpr std::size_t kTableWidth = 100, kCellWidth = 18, kColumns = 4;

// The first `columns` characters of a UTF-8 text; what was cut ends in "..".
std::string cut(const std::string& text, std::size_t columns) {
  std::size_t shown = 0, end = 0, kept = 0;  // bytes before `end` hold `shown` characters
  for (; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) continue;
    if (shown + 2 == columns) kept = end;
    if (++shown > columns) return text.substr(0, kept) + "..";
  }
  return text;
}

// The results of one block: at most kColumns of them, the baseline first where they are more.
std::vector<std::vector<std::size_t>> blocks_of(const Comparison& c) {
  std::vector<std::size_t> all(c.labels.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (all.size() <= kColumns) return {all};
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(c.baseline));
  std::vector<std::vector<std::size_t>> blocks;
  for (std::size_t i = 0; i < all.size(); i += kColumns - 1) {
    blocks.push_back({c.baseline});
    const std::size_t end = std::min(all.size(), i + kColumns - 1);
    for (std::size_t j = i; j < end; ++j) blocks.back().push_back(all[j]);
  }
  return blocks;
}

std::string whole_text(double value) {
  return with_separators(static_cast<std::uint64_t>(std::llround(value)));
}

// What the runs have in common; nothing where they do not.
std::string tokens_text(const Comparison& c) {
  if (!c.same_tokens) return "";
  const std::string same = "All of them read the same prompt and ";
  if (c.timing_only == 0) return same + "generated the same tokens.\n";
  if (c.timing_only == c.labels.size()) {
    return same + "timed the same tokens, which were given: without values none is generated.\n";
  }
  return same + fmt::format("had the same tokens; {} of {} timed them as given, without values.\n",
                            c.timing_only, c.labels.size());
}

// One line of a table: what is shown of each result, and whether changes are shown below it.
struct Row {
  const char* name;
  bool changes;
  std::function<std::optional<double>(const Figures&)> value;
  std::function<std::string(double)> text;
};

template <class T>
std::optional<double> number(const std::optional<T>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

// A bound of the machine's area or energy, where a technology was given.
template <class Figure>
std::function<std::optional<double>(const Figures&)> of_technology(Figure ResultTechnology::*figure,
                                                                   double BoundedFigure::*bound) {
  return [figure, bound](const Figures& f) -> std::optional<double> {
    if (!f.technology) return std::nullopt;
    const std::optional<BoundedFigure> value = (*f.technology).*figure;
    return value ? std::optional((*value).*bound) : std::nullopt;
  };
}

std::vector<Row> rows() {
  const auto fixed = [](int digits) { return [digits](double v) { return number_text(v, digits); }; };
  const auto percent = [](double v) { return fmt::format("{:.1f} %", v); };
  const auto shortest = [](double v) { return fmt::format("{:g}", v); };
  using F = Figures;
  using T = ResultTechnology;
  using B = BoundedFigure;
  return {{"first token, cycles", true, [](const F& f) { return number(f.first_token); }, whole_text},
          {"decode median, cycles", true, [](const F& f) { return number(f.decode_median); }, whole_text},
          {"decode max, cycles", true, [](const F& f) { return number(f.decode_max); }, whole_text},
          {"clock, GHz", false, [](const F& f) { return f.clock_ghz; }, shortest},
          {"decode median, us", true, [](const F& f) { return f.us_per_token; }, fixed(3)},
          {"tokens/s simulated", false, [](const F& f) { return f.tokens_per_second; }, fixed(1)},
          {"matrix unit busy", false, [](const F& f) { return f.matrix_busy; }, percent},
          {"vector unit busy", false, [](const F& f) { return f.vector_busy; }, percent},
          {"DRAM busy", false, [](const F& f) { return f.dram_busy; }, percent},
          {"DRAM bytes, prompt token", true, [](const F& f) { return f.prefill_bytes; }, whole_text},
          {"DRAM bytes, decode token", true, [](const F& f) { return f.decode_bytes; }, whole_text},
          {"DRAM uJ, prompt token", true, [](const F& f) { return f.prefill_uj; }, fixed(3)},
          {"DRAM uJ, decode token", true, [](const F& f) { return f.decode_uj; }, fixed(3)},
          {"DRAM pJ per bit", false, [](const F& f) { return f.pj_per_bit; }, fixed(2)},
          {"area, mm2", true, of_technology(&T::area_mm2, &B::typical), fixed(3)},
          {"  low", false, of_technology(&T::area_mm2, &B::low), fixed(3)},
          {"  high", false, of_technology(&T::area_mm2, &B::high), fixed(3)},
          {"energy uJ, prompt token", true, of_technology(&T::prefill_uj, &B::typical), fixed(3)},
          {"energy uJ, decode token", true, of_technology(&T::decode_uj, &B::typical), fixed(3)},
          {"  low", false, of_technology(&T::decode_uj, &B::low), fixed(3)},
          {"  high", false, of_technology(&T::decode_uj, &B::high), fixed(3)}};
}

// Of the first column, beside cells for the block's results.
std::size_t name_width(const std::vector<std::size_t>& block) {
  return std::min<std::size_t>(44, kTableWidth - kCellWidth * block.size());
}

std::string cell(const std::string& text) {
  return fmt::format("{:>{}}", cut(text, kCellWidth - 1), kCellWidth);
}

std::string heading(const Comparison& c, const std::vector<std::size_t>& block, const std::string& what) {
  std::string line = fmt::format("{:<{}}", what, name_width(block));
  for (const std::size_t i : block) line += cell(c.labels[i]);
  return line + "\n";
}

void add_figures(std::string& out, const Comparison& c, const std::vector<std::size_t>& block) {
  out += heading(c, block, "");
  for (const Row& row : rows()) {
    const std::optional<double> base = row.value(c.figures[c.baseline]);
    std::string values = fmt::format("{:<{}}", row.name, name_width(block));
    std::string changes = fmt::format("{:<{}}", "", name_width(block));
    bool known = false, changed = false;
    for (const std::size_t i : block) {
      const std::optional<double> value = row.value(c.figures[i]);
      values += cell(value ? row.text(*value) : "-");
      known = known || value;
      const bool compared = row.changes && i != c.baseline && base && value;
      changes += cell(compared ? percent_change(*base, *value) : "");
      changed = changed || compared;
    }
    if (known) out += values + "\n";
    if (changed) out += changes.substr(0, changes.find_last_not_of(' ') + 1) + "\n";
  }
}

// Keys in a row where their values fit, and below one another where they do not.
void add_keys(std::string& out, const Comparison& c, const std::vector<std::size_t>& block,
              const std::vector<DifferingKey>& keys) {
  for (const DifferingKey& key : keys) {
    const auto shown = [&](std::size_t i) { return key.json[i].is_null() ? "-" : key.values[i]; };
    const bool fits =
        key.path.size() < name_width(block) &&
        std::all_of(block.begin(), block.end(), [&](std::size_t i) { return shown(i).size() < kCellWidth; });
    out += fmt::format("{:<{}}", cut(key.path, kTableWidth), fits ? name_width(block) : 0);
    for (const std::size_t i : block) {
      out += fits ? cell(shown(i))
                  : fmt::format("\n  {:<{}} {}", cut(c.labels[i], kCellWidth), kCellWidth,
                                cut(shown(i), kTableWidth - kCellWidth - 3));
    }
    out += "\n";
  }
}

// Means with `digits` digits behind the point, rounded so that they sum to the rounded total.
std::vector<std::int64_t> rounded(const std::vector<double>& values, double total, int digits) {
  const double scale = digits == 0 ? 1 : 10;
  std::vector<std::int64_t> units;
  std::vector<std::pair<double, std::size_t>> rest;
  std::int64_t missing = std::llround(total * scale);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double whole = std::floor(values[i] * scale);
    units.push_back(static_cast<std::int64_t>(whole));
    rest.emplace_back(whole - values[i] * scale, i);  // largest remainder first
    missing -= units.back();
  }
  std::sort(rest.begin(), rest.end());
  for (std::size_t i = 0; missing > 0 && i < rest.size(); ++i, --missing) ++units[rest[i].second];
  return units;
}

std::string unit_text(std::int64_t units, int digits, bool sign) {
  const auto magnitude = static_cast<std::uint64_t>(std::abs(units));
  const char* const mark = units < 0 ? "-" : sign && units > 0 ? "+" : "";
  if (digits == 0) return fmt::format("{}{}", mark, with_separators(magnitude));
  return fmt::format("{}{}.{}", mark, with_separators(magnitude / 10), magnitude % 10);
}

// A phase's mean stack of the baseline and of a result, rounded: by cause, then the total.
struct Columns {
  int digits = 0;
  std::vector<std::int64_t> baseline, value;  // by Cause, then the total

  explicit Columns(const std::optional<Reasons>& reasons) {
    if (!reasons) return;
    // Tenths matter where there are few cycles, and where tokens' means have fractions.
    digits = std::max(reasons->baseline, reasons->value) < 1e6 && reasons->tokens > 1 ? 1 : 0;
    std::vector<double> a(observe::kCauses), b(observe::kCauses);
    for (const CauseChange& change : reasons->changes) {
      a[static_cast<std::size_t>(change.cause)] = change.baseline;
      b[static_cast<std::size_t>(change.cause)] = change.value;
    }
    baseline = rounded(a, reasons->baseline, digits);
    value = rounded(b, reasons->value, digits);
    baseline.push_back(std::accumulate(baseline.begin(), baseline.end(), std::int64_t{0}));
    value.push_back(std::accumulate(value.begin(), value.end(), std::int64_t{0}));
  }

  std::string cells(std::size_t row) const {
    return baseline.empty() ? cells_of(0, 0) : cells_of(baseline[row], value[row]);
  }
  bool same(std::size_t row) const { return baseline.empty() || baseline[row] == value[row]; }
  // The sum of several rows.
  std::string cells(const std::vector<std::size_t>& rows) const {
    std::int64_t before = 0, now = 0;
    for (const std::size_t row : rows) {
      before += baseline.empty() ? 0 : baseline[row];
      now += baseline.empty() ? 0 : value[row];
    }
    return cells_of(before, now);
  }

 private:
  std::string cells_of(std::int64_t before, std::int64_t now) const {
    if (baseline.empty()) return fmt::format("{:>12}{:>12}{:>12}", "-", "-", "-");
    const auto text = [&](std::int64_t units, bool sign) { return unit_text(units, digits, sign); };
    return fmt::format("{:>12}{:>12}{:>12}", text(before, false), text(now, false), text(now - before, true));
  }
};

// Causes by how much they changed, in decoding where there is some.
std::vector<observe::Cause> causes_in_order(const Comparison& c, std::size_t i) {
  std::vector<observe::Cause> order;
  for (const auto& reasons : {c.decode[i], c.first_token[i]}) {
    if (!reasons) continue;
    for (const CauseChange& change : reasons->changes) {
      if (std::find(order.begin(), order.end(), change.cause) == order.end()) order.push_back(change.cause);
    }
  }
  return order;
}

// "89,241.0 instead of 120,365.0 cycles (-25.9 %)"
std::string in_words(const Columns& columns, const Reasons& r) {
  return fmt::format("{} instead of {} cycles ({})", unit_text(columns.value.back(), columns.digits, false),
                     unit_text(columns.baseline.back(), columns.digits, false),
                     r.value == r.baseline ? "no change" : percent_change(r.baseline, r.value));
}

void add_reasons(std::string& out, const Comparison& c, std::size_t i) {
  const Columns decode(c.decode[i]), first(c.first_token[i]);
  const std::string label = cut(c.labels[i], 40), base = cut(c.labels[c.baseline], 40);
  out += fmt::format("\nwhy: {} against {}\n", label, base);
  if (c.decode[i]) out += fmt::format("mean decode token: {}\n", in_words(decode, *c.decode[i]));
  if (c.first_token[i]) out += fmt::format("first token: {}\n", in_words(first, *c.first_token[i]));
  const std::string columns = fmt::format("{:>12}{:>12}{:>12}", cut(base, 11), cut(label, 11), "change");
  out += fmt::format("{:<20}{:>36}  {:>36}\n{:<20}{}  {}\n", "cycles by cause", "mean decode token",
                     "first token", "", columns, columns);
  std::vector<std::size_t> unchanged;  // one line for all of them
  for (const observe::Cause cause : causes_in_order(c, i)) {
    const auto row = static_cast<std::size_t>(cause);
    if (decode.same(row) && first.same(row)) {
      unchanged.push_back(row);
      continue;
    }
    out += fmt::format("{:<20}{}  {}\n", observe::name_of(cause), decode.cells(row), first.cells(row));
  }
  if (!unchanged.empty()) {
    out += fmt::format("{:<20}{}  {}\n", fmt::format("{} unchanged", unchanged.size()),
                       decode.cells(unchanged), first.cells(unchanged));
  }
  out +=
      fmt::format("{:<20}{}  {}\n", "total", decode.cells(observe::kCauses), first.cells(observe::kCauses));
}

}  // namespace

std::string comparison_text(const Comparison& c) {
  std::string out;
  const auto blocks = blocks_of(c);
  for (const auto& block : blocks) {
    add_figures(out, c, block);
    out += "\n";
    if (!c.keys.empty()) {
      out += heading(c, block, "keys that differ");
      add_keys(out, c, block, c.keys);
    } else {
      out += "machines: all keys are the same\n";
    }
    std::vector<DifferingKey> settings = c.settings;
    std::erase_if(settings,
                  [](const DifferingKey& k) { return k.path == "/tokens/id" || k.path == "/prompt_tokens"; });
    if (!settings.empty()) {
      out += fmt::format("\n{}", heading(c, block, "settings that differ"));
      add_keys(out, c, block, settings);
    }
    if (&block != &blocks.back()) out += "\n";
  }
  for (std::size_t i = 0; i < c.labels.size(); ++i) {
    if (i != c.baseline) add_reasons(out, c, i);
  }
  out += "\n" + tokens_text(c);
  for (const std::string& warning : c.warnings) out += fmt::format("warning: {}\n", warning);
  return out;
}

}  // namespace tokencycle::explore
