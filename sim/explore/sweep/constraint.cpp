// SPDX-License-Identifier: Apache-2.0
#include "explore/sweep/constraint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "explore/expression.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;

const Json* option(std::string name, const Settings& settings) {
  std::replace(name.begin(), name.end(), '_', '-');
  const auto found =
      std::find_if(settings.begin(), settings.end(), [&name](const auto& s) { return s.first.name == name; });
  return found == settings.end() ? nullptr : &found->second;
}

double value_of(const std::string& name, const Json& machine, const Settings& settings) {
  const Json* value = name.starts_with("option.") ? option(name.substr(7), settings) : member(machine, name);
  if (value == nullptr)
    throw BadExpression{fmt::format("'{}' is no key of the machine and no option that the plan sets", name)};
  if (value->is_boolean()) return value->get<bool>() ? 1 : 0;
  if (!value->is_number())
    throw BadExpression{
        fmt::format("'{}' is {}, and constraints are about numbers", name, value->dump(-1, ' ', true))};
  return value->get<double>();
}

}  // namespace

bool keeps(const std::string& constraint, const Json& machine, const Settings& settings,
           const std::string& source) {
  const auto refuse = [&](const std::string& what) {
    throw ConfigurationError(fmt::format("{}: /constraints: '{}': {}", source, constraint, what));
  };
  double value = 0;
  try {
    value = evaluate(constraint, [&](const std::string& name) { return value_of(name, machine, settings); });
  } catch (const BadExpression& bad) {
    refuse(bad.what);
  }
  if (std::isnan(value)) refuse("is not a number for this point");
  return value != 0;
}

}  // namespace tokencycle::explore
