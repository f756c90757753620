// SPDX-License-Identifier: Apache-2.0
#include "config/dram/timing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "config/json_text.h"

namespace tokencycle::config {
namespace {

constexpr std::uint64_t kMostTimeClocks = (1u << 24) - 1;

std::uint64_t femtoseconds(double ns) {
  return static_cast<std::uint64_t>(std::llround(ns * 1e6));
}

// Refresh intervals: a refresh may come sooner, not later.
bool is_maximum(const std::string& symbol) {
  return symbol == "nREFI" || symbol == "nREFIpb";
}

class TimesReader {
 public:
  TimesReader(const DramStandard& standard, const DramClocking& clock,
              std::map<std::string, std::string>& places)
      : clock_(clock), places_(places), needed_(standard.parameters) {
    needed_["nREFI"] = "longest time between two all-bank refreshes of a rank, on average";
    if (standard.exists(DramCommand::refresh_bank)) {
      needed_["nREFIpb"] = "longest time between two per-bank refreshes of a rank, on average";
    }
    for (const auto& [symbol, meaning] : needed_) names_.push_back(symbol);
  }

  // Everything in `section` is a time.
  void read_all(JsonObject& section, const std::string& standard_name) {
    for (const std::string& symbol : section.take_names()) {
      if (needed_.contains(symbol)) {
        read(section, symbol);
      } else {
        section.complain(symbol, fmt::format("unknown parameter of {}; {} Otherwise remove it", standard_name,
                                             suggest(symbol, names_)));
      }
    }
  }

  void read(JsonObject& section, const std::string& symbol) {
    if (!places_.emplace(symbol, section.path_of(symbol)).second) {
      section.complain(symbol, fmt::format("given twice, also at {}; keep one", places_.at(symbol)));
      return;
    }
    JsonObject value = section.take_object(symbol);
    const auto clocks = value.take_whole("clocks", {1, kMostTimeClocks, "clocks"}, Need::optional);
    const auto ns = value.take_real("ns", {0.001, 1e9, "ns"}, Need::optional);
    value.take_text("source", kLongestText);
    value.take_text("note", kLongestText, Need::optional);
    value.finish();
    const bool has_clocks = value.has("clocks"), has_ns = value.has("ns");
    if (has_clocks != clocks.has_value() || has_ns != ns.has_value()) return;  // already reported
    if (!has_clocks && !has_ns)
      return section.complain(symbol, "has no value; add \"ns\" or \"clocks\" or both");
    if (has_clocks && has_ns && is_maximum(symbol)) {
      return section.complain(symbol, "\"ns\" and \"clocks\" of an interval; keep one of the two");
    }
    const std::uint64_t from_ns = !ns                  ? 0
                                  : is_maximum(symbol) ? clocks_within(*ns, clock_)
                                                       : clocks_that_hold(*ns, clock_);
    const std::uint64_t result = std::max(clocks.value_or(0), from_ns);
    if (result >= 1 && result <= kMostTimeClocks) {
      clocks_[symbol] = static_cast<std::uint32_t>(result);
    } else {
      section.complain(symbol, fmt::format("{} ns are {} clocks of {} ps; allowed: 1 .. {} clocks",
                                           ns.value_or(0), result, clock_.tck_ps, kMostTimeClocks));
    }
  }

  std::map<std::string, std::uint32_t> finish(const JsonObject& timing, const std::string& standard_name) {
    for (const auto& [symbol, meaning] : needed_) {
      if (places_.emplace(symbol, timing.path_of(symbol)).second) {
        timing.complain(symbol,
                        fmt::format("missing; {} needs it: {}. Add {{\"ns\" or \"clocks\", \"source\"}}",
                                    standard_name, escaped(shortened(meaning))));
      }
    }
    return clocks_;
  }

 private:
  const DramClocking& clock_;
  std::map<std::string, std::string>& places_;
  std::map<std::string, std::string> needed_;
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t> clocks_;
};

}  // namespace

DramClocking read_clocking(JsonObject& preset) {
  DramClocking c;
  JsonObject clock = preset.take_object("clock");
  c.tck_ps = clock.take_whole("tck_ps", {10, 1000000, "ps"}).value_or(1000);
  c.data_rate_mt_s =
      static_cast<std::uint32_t>(clock.take_whole("data_rate_mt_s", {1, 100000, "MT/s"}).value_or(1));
  c.beats_per_clock =
      static_cast<std::uint32_t>(clock.take_whole("beats_per_clock", {1, 64, "beats"}).value_or(1));
  if (clock.has("rounding")) {
    JsonObject rounding = clock.take_object("rounding");
    c.rounding = DramClocking::Rounding{};
    c.rounding->multiply = rounding.take_whole("multiply", {900, 1000, "thousandths"}).value_or(1000);
    c.rounding->add = rounding.take_whole("add", {900, 1000, "thousandths of a clock"}).value_or(1000);
    rounding.take_text("source", kLongestText);
    rounding.finish();
  }
  clock.finish();
  return c;
}

std::uint64_t clocks_that_hold(double ns, const DramClocking& clock) {
  const std::uint64_t fs = femtoseconds(ns), tck = clock.tck_ps * 1000;
  if (!clock.rounding) return (fs + tck - 1) / tck;
  return (fs * clock.rounding->multiply / tck + clock.rounding->add) / 1000;
}

std::uint64_t clocks_within(double ns, const DramClocking& clock) {
  return femtoseconds(ns) / (clock.tck_ps * 1000);
}

std::map<std::string, std::uint32_t> read_times(JsonObject& preset, JsonObject& refresh,
                                                const DramStandard& standard, const DramClocking& clock,
                                                std::map<std::string, std::string>& places) {
  TimesReader reader(standard, clock, places);
  JsonObject timing = preset.take_object("timing");
  reader.read_all(timing, standard.name);
  for (const std::string symbol : {"nREFI", "nRFC"}) {
    if (refresh.has(symbol)) reader.read(refresh, symbol);
  }
  const nlohmann::ordered_json* per_bank = refresh.take("per_bank", "an object, or null without REFpb");
  if (per_bank != nullptr && !per_bank->is_null()) {
    JsonObject section(per_bank, refresh.path_of("per_bank"), refresh.violations());
    reader.read_all(section, standard.name);
  }
  return reader.finish(timing, standard.name);
}

}  // namespace tokencycle::config
