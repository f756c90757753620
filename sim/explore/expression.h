// SPDX-License-Identifier: Apache-2.0
// Formulas over named numbers, as sweeps and the scorecard have them.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace tokencycle::explore {

// The value of a formula. Operators and functions are those of muParser: + - * / ^, < <= == != >= >, && ||,
// c ? a : b, min, max, log2 ... `value_of` gives a name's number; names have letters, digits, _ and points.
// Throws BadExpression with what cannot be read, and lets through what `value_of` throws.
struct BadExpression {
  std::string what;
};
double evaluate(const std::string& expression, const std::function<double(const std::string&)>& value_of);

// The member of a document by keys and positions with points between them ("layers.0.cycles"); nullptr where
// there is none.
const nlohmann::ordered_json* member(const nlohmann::ordered_json& document, const std::string& name);

}  // namespace tokencycle::explore
