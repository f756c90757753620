// SPDX-License-Identifier: Apache-2.0
// Is every row of a standard in the device, for every pair of its commands, with the clocks of its sum?
#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "config/dram/sum.h"
#include "dram_files.h"

namespace tokencycle::config {
namespace {

using Row = std::tuple<std::string, std::string, std::string, long, unsigned, bool>;

long value_of(const std::string& sum, const std::map<std::string, std::uint32_t>& clocks) {
  std::istringstream words(sum);
  long total = 0, sign = 1;
  for (std::string word; words >> word;) {
    if (word == "+" || word == "-") {
      sign = word == "+" ? 1 : -1;
    } else {
      total += sign * (word[0] == 'n' ? long{clocks.at(word)} : std::stol(word));
    }
  }
  return total;
}

std::vector<Row> expected_rows(const DramJson& standard, const DramDevice& d) {
  std::vector<Row> rows;
  for (const DramJson& row : standard["constraints"]) {
    const long clocks = value_of(row["clocks"], d.clocks);
    if (clocks < 1) continue;
    for (const std::string before : row["before"]) {
      for (const std::string after : row["after"]) {
        rows.emplace_back(row["level"], before, after, clocks, row.value("window", 1u),
                          row.value("other", false));
      }
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<Row> rows_of(const DramDevice& d) {
  std::vector<Row> rows;
  for (const DramConstraint& c : d.constraints) {
    rows.emplace_back(name_of(c.level), name_of(c.before), name_of(c.after), c.clocks, c.window, c.other);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

bool has(const DramDevice& d, const Row& row) {
  const auto rows = rows_of(d);
  return std::find(rows.begin(), rows.end(), row) != rows.end();
}

}  // namespace

TEST_CASE("every constraint of a standard is in the device") {
  for (const std::string& name : dram_presets(kDramFolder)) {
    INFO(name);
    const DramDevice d = bundled_dram(name);
    std::string file = d.standard + ".json";
    std::transform(file.begin(), file.end(), file.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    const DramJson standard = json_of(kDramFolder / "standards" / file);
    CHECK(rows_of(d) == expected_rows(standard, d));
    for (const DramConstraint& c : d.constraints) {
      CHECK_FALSE(c.section.empty());
      CHECK(value_of(c.formula, d.clocks) == c.clocks);
    }
  }
}

TEST_CASE("constraints of DDR4-3200, LPDDR5-6400 and HBM2 in numbers") {
  const DramDevice ddr4 = bundled_dram("ddr4-3200");
  CHECK(has(ddr4, {"bank", "ACT", "RD", 22, 1, false}));
  CHECK(has(ddr4, {"bank", "WR", "PRE", 16 + 4 + 24, 1, false}));
  CHECK(has(ddr4, {"rank", "RD", "WR", 22 + 4 + 2 - 16, 1, false}));
  CHECK(has(ddr4, {"bank_group", "WR", "RD", 16 + 4 + 12, 1, false}));
  CHECK(has(ddr4, {"rank", "ACT", "ACT", 34, 4, false}));
  CHECK(has(ddr4, {"rank", "RD", "RD", 4 + 2, 1, true}));
  // nCWL + nBL + nCS - nCL = 0: nothing to wait for.
  CHECK(std::none_of(ddr4.constraints.begin(), ddr4.constraints.end(), [](const DramConstraint& c) {
    return c.other && c.before == DramCommand::write && c.after == DramCommand::read;
  }));
  const DramDevice lpddr5 = bundled_dram("lpddr5-6400");
  CHECK(has(lpddr5, {"bank", "ACT", "SYNC_RD", 14, 1, false}));
  CHECK(has(lpddr5, {"bank", "ACT1", "ACT", 1, 1, false}));
  CHECK(has(lpddr5, {"rank", "PREA", "ACT1", 16, 1, false}));
  CHECK(has(bundled_dram("hbm3-6400-8hi"), {"stack_id", "RD", "RD", 3, 1, true}));
  CHECK(has(bundled_dram("hbm2-2000"), {"bank", "ACT", "RD", 15, 1, false}));  // nRCDRD from the second clock
}

TEST_CASE("a sum is symbols and numbers joined by + and -") {
  const std::map<std::string, std::uint32_t> clocks = {{"nCL", 22}, {"nBL", 4}, {"nCWL", 16}, {"nCCD_L", 8}};
  const auto value = [&](const std::string& text) { return parse_sum(text)->value(clocks); };
  CHECK(value("nCL + nBL + 2 - nCWL") == 12);
  CHECK(value("nCWL - nCL") == -6);
  CHECK(value("nCCD_L") == 8);
  CHECK(value("0") == 0);
  for (const std::string bad :
       {"", " ", "+", "nCL +", "+ nCL", "nCL nBL", "nCL + + nBL", "nCL * 2", "nCL+nBL", "ncl", "n", "CL",
        "-1", "1.5", "1e3", "1234567", "nCL + x", "n\xff", "99999999999999999999"}) {
    INFO(bad);
    CHECK_FALSE(parse_sum(bad).has_value());
  }
  std::string sixteen = "1";
  for (int i = 1; i < 16; ++i) sixteen += " + 1";
  CHECK(value(sixteen) == 16);
  CHECK_FALSE(parse_sum(sixteen + " + 1").has_value());
}

}  // namespace tokencycle::config
