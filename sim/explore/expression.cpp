// SPDX-License-Identifier: Apache-2.0
#include "explore/expression.h"

#include <muParser.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <exception>

namespace tokencycle::explore {
namespace {

// The numbers that a parser refers to while it runs, and what went wrong when it asked for one: an exception
// must not pass through the parser's own frames with its kind changed.
struct Names {
  const std::function<double(const std::string&)>& value_of;
  std::deque<double> values{};
  std::exception_ptr error{};
};

double* find_name(const char* name, void* data) {
  auto& names = *static_cast<Names*>(data);
  try {
    names.values.push_back(names.value_of(name));
  } catch (...) {
    names.error = std::current_exception();
    throw mu::ParserError("");
  }
  return &names.values.back();
}

}  // namespace

double evaluate(const std::string& expression, const std::function<double(const std::string&)>& value_of) {
  Names names{value_of};
  try {
    mu::Parser parser;
    parser.DefineNameChars("0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    parser.SetVarFactory(find_name, &names);
    parser.SetExpr(expression);
    return parser.Eval();
  } catch (const mu::ParserError& error) {
    if (names.error) std::rethrow_exception(names.error);
    throw BadExpression{error.GetMsg()};
  }
}

const nlohmann::ordered_json* member(const nlohmann::ordered_json& document, const std::string& name) {
  const nlohmann::ordered_json* at = &document;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    if (at->is_array()) {
      std::size_t index = 0;
      const auto [stop, failed] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (failed != std::errc() || stop != part.data() + part.size() || index >= at->size()) return nullptr;
      at = &(*at)[index];
    } else {
      if (!at->is_object() || !at->contains(part)) return nullptr;
      at = &(*at)[part];
    }
    begin = end + 1;
  }
  return at;
}

}  // namespace tokencycle::explore
