// SPDX-License-Identifier: Apache-2.0
#include "explore/scorecard/scorecard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "config/violations.h"
#include "explore/expression.h"
#include "explore/sweep/plan.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;
using config::Violations;

constexpr const char* kScorecardSchema = "tokencycle-scorecard-1";
constexpr std::size_t kMostScorecardBytes = std::size_t{4} << 20;
constexpr std::array kRowCommands = {"run", "gemm", "dram"};
const std::vector<std::string> kScorecardKeys = {"schema", "about", "rows"};
const std::vector<std::string> kRowKeys = {"name",   "about", "command",   "options", "set",
                                           "figure", "unit",  "published", "error",   "aim",
                                           "source", "lacks", "reason",    "seconds"};

std::string quoted_value(const Json& value) {
  return config::shortened(value.dump(-1, ' ', true, Json::error_handler_t::replace));
}

class RowReader {
 public:
  RowReader(const Json& tree, std::string path, const std::filesystem::path& folder, Violations& violations)
      : tree_(tree), path_(std::move(path)), folder_(folder), violations_(violations) {}

  ScorecardRow read() {
    ScorecardRow row;
    for (const auto& [key, value] : tree_.items()) {
      if (std::find(kRowKeys.begin(), kRowKeys.end(), key) == kRowKeys.end())
        violations_.add(path_ + "/" + config::escaped(key),
                        fmt::format("is unknown{}", did_you_mean(key, kRowKeys)));
    }
    row.name = text("name", true);
    if (!is_name(row.name))
      violations_.add(path_ + "/name", fmt::format("is '{}'; a name has letters, digits, '-', '_' and '.'",
                                                   config::escaped(row.name)));
    row.about = text("about", true);
    row.source = text("source", true);
    row.unit = text("unit", true);
    row.lacks = text("lacks", false);
    row.reason = text("reason", false);
    row.published = number("published", true);
    if (!(row.published > 0)) violations_.add(path_ + "/published", "must be above 0");
    row.aim = number("aim", true);
    row.error = error_kind();
    read_command(row);
    return row;
  }

 private:
  static bool is_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
             c == '_' || c == '.';
    });
  }

  std::string text(const char* key, bool required) {
    if (!tree_.contains(key) && !required) return "";
    const std::string value =
        tree_.contains(key) && tree_[key].is_string() ? tree_[key].get<std::string>() : "";
    if (value.empty())
      violations_.add(path_ + "/" + key,
                      tree_.contains(key) ? fmt::format("is {}; it must be a text", quoted_value(tree_[key]))
                                          : "is missing");
    return value;
  }

  double number(const char* key, bool required) {
    if (tree_.contains(key) && tree_[key].is_number()) {
      const double value = tree_[key].get<double>();
      if (value >= 0) return value;
    } else if (!tree_.contains(key) && !required) {
      return 0;
    }
    violations_.add(path_ + "/" + key,
                    tree_.contains(key)
                        ? fmt::format("is {}; it must be a number, at least 0", quoted_value(tree_[key]))
                        : "is missing");
    return 1;
  }

  ErrorKind error_kind() {
    const std::string kind = tree_.contains("error") ? text("error", true) : "percent";
    if (kind == "points") return ErrorKind::points;
    if (kind != "percent")
      violations_.add(path_ + "/error", fmt::format("is '{}'; it must be percent or points", kind));
    return ErrorKind::percent;
  }

  // A row without a command is one that cannot be simulated.
  void read_command(ScorecardRow& row) {
    if (!tree_.contains("command")) {
      if (row.lacks.empty())
        violations_.add(path_ + "/lacks", "is missing; a row without a command says what is not modelled");
      for (const char* key : {"options", "set", "figure", "seconds"}) {
        if (tree_.contains(key)) violations_.add(path_ + "/" + key, "goes with a command; add one");
      }
      return;
    }
    row.command = text("command", true);
    if (std::find(kRowCommands.begin(), kRowCommands.end(), row.command) == kRowCommands.end())
      violations_.add(path_ + "/command", fmt::format("is '{}'; it must be run, gemm or dram", row.command));
    row.figure = text("figure", true);
    row.seconds = number("seconds", true);
    Settings settings;
    settings_of("options", false, settings);
    settings_of("set", true, settings);
    row.arguments = arguments_of(settings);
  }

  void settings_of(const char* section, bool of_machine, Settings& settings) {
    if (!tree_.contains(section)) return;
    const std::string path = path_ + "/" + section;
    if (!tree_[section].is_object())
      return violations_.add(path, fmt::format("is {}; it must be an object", quoted_value(tree_[section])));
    for (const auto& [name, value] : tree_[section].items()) {
      const std::string place = path + "/" + config::escaped(name);
      if (name.empty() || name.front() == '-' || (name.front() == '/') != of_machine) {
        violations_.add(place, of_machine ? "must be a key of the machine, such as /matrix/rows"
                                          : "must be an option without dashes, such as context");
      } else if (!value.is_string() && !value.is_number() && !value.is_boolean()) {
        violations_.add(
            place, fmt::format("is {}; it must be a string, number, true or false", quoted_value(value)));
      } else {
        settings.emplace_back(Knob{name}, of_machine ? value : beside(value));
      }
    }
  }

  // The file of that name beside the scorecard, if there is one.
  Json beside(const Json& value) const {
    std::error_code ignored;
    if (!value.is_string() || value.get<std::string>().empty()) return value;
    const std::filesystem::path file = folder_ / value.get<std::string>();
    return std::filesystem::is_regular_file(file, ignored) ? Json(file.string()) : value;
  }

  const Json& tree_;
  std::string path_;
  const std::filesystem::path& folder_;
  Violations& violations_;
};

}  // namespace

Scorecard parse_scorecard(const std::string& text, const std::filesystem::path& source) {
  if (text.size() > kMostScorecardBytes)
    throw ConfigurationError(fmt::format("{}: {} are no scorecard; at most 4 MiB are read", source.string(),
                                         bytes_text(text.size())));
  Json tree;
  try {
    tree = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw ConfigurationError(
        fmt::format("{}: no JSON at byte {}; a scorecard is an object with schema and rows", source.string(),
                    error.byte));
  }
  Violations violations(source.string());
  Scorecard card{source.string(), {}};
  const bool schema = tree.is_object() && tree.contains("schema") && tree["schema"] == kScorecardSchema;
  if (!schema) violations.add("/schema", fmt::format("must be '{}'", kScorecardSchema));
  if (tree.is_object()) {
    for (const auto& [key, value] : tree.items()) {
      if (std::find(kScorecardKeys.begin(), kScorecardKeys.end(), key) == kScorecardKeys.end())
        violations.add("/" + config::escaped(key),
                       fmt::format("is unknown{}", did_you_mean(key, kScorecardKeys)));
    }
  }
  if (!tree.is_object() || !tree.contains("rows") || !tree["rows"].is_array() || tree["rows"].empty()) {
    violations.add("/rows", "must be a list of at least one row");
  } else {
    std::set<std::string> names;
    const std::filesystem::path folder = source.parent_path();
    for (std::size_t i = 0; i < tree["rows"].size(); ++i) {
      const std::string path = fmt::format("/rows/{}", i);
      if (!tree["rows"][i].is_object()) {
        violations.add(path, fmt::format("is {}; it must be an object", quoted_value(tree["rows"][i])));
        continue;
      }
      card.rows.push_back(RowReader(tree["rows"][i], path, folder, violations).read());
      if (!names.insert(card.rows.back().name).second)
        violations.add(path + "/name", fmt::format("'{}' is there a second time", card.rows.back().name));
    }
  }
  violations.throw_if_any();
  return card;
}

double figure_of(const Scorecard& card, const ScorecardRow& row, const Json& printed) {
  const auto refuse = [&](const std::string& what) -> ConfigurationError {
    return ConfigurationError(
        fmt::format("{}: row '{}': figure '{}': {}", card.source, row.name, row.figure, what));
  };
  double value = 0;
  try {
    value = evaluate(row.figure, [&printed](const std::string& name) {
      const Json* at = member(printed, name);
      if (at == nullptr || !at->is_number())
        throw BadExpression{fmt::format("'{}' is no number of what the command prints", name)};
      return at->get<double>();
    });
  } catch (const BadExpression& bad) {
    throw refuse(bad.what);
  }
  if (!std::isfinite(value)) throw refuse("is not a number");
  return value;
}

double error_of(const ScorecardRow& row, double figure) {
  return row.error == ErrorKind::points ? figure - row.published : 100 * (figure / row.published - 1);
}

}  // namespace tokencycle::explore
