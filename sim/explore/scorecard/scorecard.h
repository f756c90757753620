// SPDX-License-Identifier: Apache-2.0
// The scorecard: figures that others published or that follow from formulas, and the commands that give ours.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace tokencycle::explore {

// How far a figure is from the published one: in percent of that, or the difference of two percentages.
enum class ErrorKind : std::uint8_t { percent, points };

struct ScorecardRow {
  std::string name;   // of letters, digits, '-', '_' and '.'
  std::string about;  // machine and work, in words
  std::string
      command;  // "run", "gemm" or "dram"; empty: the figure cannot be simulated, and `lacks` says why
  std::vector<std::string> arguments;  // of the command, without --json
  std::string figure;                  // formula over the numbers of the command's JSON
  std::string unit;
  double published = 0;
  ErrorKind error = ErrorKind::percent;
  double aim = 0;      // the error that is hoped for: percent or points
  std::string source;  // of the published figure
  std::string lacks;   // what is not modelled
  std::string reason;  // why the error is larger than the aim
  double seconds = 0;  // that the command takes, about

  bool quick() const { return !command.empty() && seconds <= kQuickSeconds; }
  static constexpr double kQuickSeconds = 5;
};

struct Scorecard {
  std::string source;  // the file
  std::vector<ScorecardRow> rows;
};

// Reads and checks a file. Option values that name a file beside it are that file. All that is wrong is
// listed with JSON path, value and remedy. Throws ConfigurationError.
Scorecard parse_scorecard(const std::string& text, const std::filesystem::path& source);

// The row's figure, from what its command printed. Throws ConfigurationError for a formula that cannot be
// read or names what is not there.
double figure_of(const Scorecard& card, const ScorecardRow& row, const nlohmann::ordered_json& printed);

// Percent or points, by the row.
double error_of(const ScorecardRow& row, double figure);

}  // namespace tokencycle::explore
