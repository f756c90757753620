// SPDX-License-Identifier: Apache-2.0
// Area and energy by a technology, and that operators and parts sum to the whole.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "explore/result/document.h"
#include "explore/result/node.h"
#include "explore/result/readers.h"

namespace tokencycle::explore {
namespace {

constexpr std::array<const char*, 3> kBounds = {"low", "typical", "high"};

using Counts = std::array<std::uint64_t, 3>;

Counts counts_of(const Node& range) {
  Counts counts{};
  for (std::size_t i = 0; i < kBounds.size(); ++i) counts[i] = range.at(kBounds[i]).count();
  return counts;
}

void add(Counts& sum, const Counts& more) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = add_counts(sum[i], more[i]);
}

// An energy whose parts, and causes, sum to its total, bound by bound.
Counts checked_total(const Node& energy) {
  const Node total = energy.at("total");
  const Counts whole = counts_of(total);
  const auto check = [&](const Node& stack) {
    Counts sum{};
    stack.members([&](const std::string&, const Node& part) { add(sum, counts_of(part)); });
    for (std::size_t i = 0; i < sum.size(); ++i)
      stack.check_sum(sum[i], whole[i], std::string("/energy's total, ") + kBounds[i]);
  };
  check(energy.at("parts"));
  if (const auto causes = energy.find("causes")) check(*causes);  // older results have none
  return whole;
}

BoundedFigure figure_of(const Counts& counts, double scale) {
  return {static_cast<double>(counts[0]) * scale, static_cast<double>(counts[1]) * scale,
          static_cast<double>(counts[2]) * scale};
}

BoundedFigure read_area(const Node& area) {
  BoundedFigure figure, sum;
  const Node total = area.at("total");
  const auto numbers = [](const Node& range) {
    return BoundedFigure{range.at("low").number(), range.at("typical").number(), range.at("high").number()};
  };
  figure = numbers(total);
  area.at("parts").members([&](const std::string&, const Node& part) {
    const BoundedFigure more = numbers(part);
    sum.low += more.low;
    sum.typical += more.typical;
    sum.high += more.high;
  });
  if (std::abs(sum.typical - figure.typical) > 1e-9 * (sum.typical + figure.typical))
    total.refuse(fmt::format("{} um2, but its parts sum to {}", figure.typical, sum.typical));
  return {figure.low * 1e-6, figure.typical * 1e-6, figure.high * 1e-6};
}

}  // namespace

void read_technology(const Node& document, Result& result) {
  const auto technology = document.find("technology");
  if (!technology) return;
  ResultTechnology read;
  read.name = technology->at("name").text();
  read.area_mm2 = read_area(document.at("area"));
  if (const auto whole = document.at("energy").find("machine")) {
    const Counts total = checked_total(*whole);
    Counts prefill{}, decode{};
    const Node operators = document.at("operators");
    for (std::size_t i = 0; i < operators.size(); ++i) {
      for (auto [phase, sum] : {std::pair("prefill", &prefill), std::pair("decode", &decode)}) {
        if (const auto energy = operators[i].at(phase).find("energy")) add(*sum, checked_total(*energy));
      }
    }
    Counts both = prefill;
    add(both, decode);
    for (std::size_t i = 0; i < both.size(); ++i)
      operators.check_sum(both[i], total[i], std::string("/energy/machine/total/") + kBounds[i]);
    constexpr double kUjOfPj = 1e-6;
    read.energy_uj = figure_of(total, kUjOfPj);
    const std::size_t prompt = result.prompt_count();
    if (prompt != 0) read.prefill_uj = figure_of(prefill, kUjOfPj / static_cast<double>(prompt));
    if (result.tokens.size() > 1)
      read.decode_uj = figure_of(decode, kUjOfPj / static_cast<double>(result.decode_count()));
  }
  result.technology = std::move(read);
}

}  // namespace tokencycle::explore
