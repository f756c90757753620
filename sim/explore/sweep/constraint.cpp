// SPDX-License-Identifier: Apache-2.0
#include "explore/sweep/constraint.h"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

#include "base/error.h"

namespace tokencycle::explore {
namespace {

using Json = nlohmann::ordered_json;

// Thrown through the parser's call for a name.
struct UnknownName {
  std::string text;
};

class Names {
 public:
  Names(const Json& machine, const Settings& settings) : machine_(machine), settings_(settings) {}

  double* find(const std::string& name) {
    const Json* value = name.starts_with("option.") ? option(name.substr(7)) : key(name);
    if (value == nullptr) {
      throw UnknownName{fmt::format("'{}' is no key of the machine and no option that the plan sets", name)};
    }
    if (!value->is_number() && !value->is_boolean())
      throw UnknownName{
          fmt::format("'{}' is {}, and constraints are about numbers", name, value->dump(-1, ' ', true))};
    values_.push_back(value->is_boolean() ? (value->get<bool>() ? 1.0 : 0.0) : value->get<double>());
    return &values_.back();
  }

 private:
  const Json* key(const std::string& name) const {
    const Json* at = &machine_;
    for (std::size_t begin = 0; begin <= name.size();) {
      const std::size_t end = std::min(name.find('.', begin), name.size());
      const std::string part = name.substr(begin, end - begin);
      if (!at->is_object() || !at->contains(part)) return nullptr;
      at = &(*at)[part];
      begin = end + 1;
    }
    return at;
  }
  const Json* option(std::string name) const {
    std::replace(name.begin(), name.end(), '_', '-');
    const auto found = std::find_if(settings_.begin(), settings_.end(),
                                    [&name](const auto& s) { return s.first.name == name; });
    return found == settings_.end() ? nullptr : &found->second;
  }

  const Json& machine_;
  const Settings& settings_;
  std::deque<double> values_;  // that the parser refers to
};

double* find_name(const char* name, void* names) {
  return static_cast<Names*>(names)->find(name);
}

}  // namespace

bool keeps(const std::string& constraint, const Json& machine, const Settings& settings,
           const std::string& source) {
  const auto refuse = [&](const std::string& what) {
    throw ConfigurationError(fmt::format("{}: /constraints: '{}': {}", source, constraint, what));
  };
  Names names(machine, settings);
  double value = 0;
  try {
    mu::Parser parser;
    parser.DefineNameChars("0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    parser.SetVarFactory(find_name, &names);
    parser.SetExpr(constraint);
    value = parser.Eval();
  } catch (const UnknownName& unknown) {
    refuse(unknown.text);
  } catch (const mu::ParserError& error) {
    refuse(error.GetMsg());
  }
  if (std::isnan(value)) refuse("is not a number for this point");
  return value != 0;
}

}  // namespace tokencycle::explore
