// SPDX-License-Identifier: Apache-2.0
#include "fuzz/json_changes.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "fuzz/support.h"

namespace tokencycle::fuzz {
namespace {

using Json = nlohmann::ordered_json;

// Every value of the tree, parents before children.
void collect(Json& value, std::vector<Json*>& all) {
  all.push_back(&value);
  if (!value.is_structured()) return;
  for (Json& member : value) collect(member, all);
}

Json odd_value(Random& random) {
  static const std::vector<std::string> kTexts = {
      "",       "ideal",   "commands", "open",          "fr-fcfs-cap", "ddr4-2400", "../..",
      "a.json", "\x1b[2J", "nBL",      "nCL + nBL - 2", "row:3",       "column",    "llama3"};
  switch (random.below(10)) {
    case 0:
      return nullptr;
    case 1:
      return random.one_in(2);
    case 2:
      return -static_cast<std::int64_t>(random.interesting() >> 1);
    case 3:
    case 4:
      return random.interesting();
    case 5:
      return static_cast<double>(random.interesting()) * 1e-3;
    case 6:
      return random.one_in(2) ? 1e300 : -0.0;
    case 7:
      return random.of(kTexts);
    case 8:
      return Json::array({1, "x", Json::object()});
    default:
      return Json{{"unit", "ns"}, {"", random.below(10)}};
  }
}

void change_members(Json& object, Random& random) {
  const auto at = std::next(object.begin(), static_cast<std::ptrdiff_t>(random.below(object.size())));
  switch (random.below(4)) {
    case 0:
      object.erase(at);
      return;
    case 1:
      object[at.key() + "x"] = odd_value(random);
      return;
    case 2:
      object[at.key().substr(1)] = Json(*at);
      return;
    default:
      *at = odd_value(random);
  }
}

void change_tree(Json& tree, Random& random) {
  std::vector<Json*> all;
  collect(tree, all);
  Json& value = *random.of(all);
  if (value.is_object() && !value.empty()) return change_members(value, random);
  if (value.is_array() && !value.empty() && random.one_in(2)) {
    value.push_back(Json(value[random.below(value.size())]));
  } else if (value.is_array() && !value.empty()) {
    value.erase(random.below(value.size()));
  } else if (value.is_number_unsigned() && random.one_in(2)) {
    value = value.get<std::uint64_t>() + random.below(5) - 2;
  } else if (value.is_number_unsigned() && random.one_in(2)) {
    value = value.get<std::uint64_t>() << random.below(8) >> random.below(8);
  } else if (value.is_number_float()) {
    value = value.get<double>() * static_cast<double>(random.below(5));
  } else {
    value = odd_value(random);
  }
}

// The text of a value again behind itself: keys that are given twice, or more brackets than a text may have.
std::string repeat(std::string text, Random& random) {
  if (random.one_in(4))
    return text.insert(random.below(text.size() + 1), std::string(1 + random.below(40), '['));
  const std::size_t comma = text.find(',', random.below(text.size() + 1));
  if (comma == std::string::npos) return text;
  const std::size_t before = text.rfind(',', comma == 0 ? 0 : comma - 1);
  if (before == std::string::npos || before >= comma) return text;
  return text.insert(comma, text.substr(before, comma - before));
}

}  // namespace

std::string change_json(const std::string& text, Random& random) {
  if (random.one_in(6)) {
    const Bytes bytes = mutate_text(bytes_of(text), random,
                                    {"{", "}", "[", "]", "\"", ":", ",", "null", "1e999", "-0", "\\u0000",
                                     "\\ud800", "\xff", "0x1", "NaN"});
    return std::string(text_of(bytes));
  }
  if (random.one_in(10)) return repeat(text, random);
  Json tree = Json::parse(text, nullptr, false);
  if (tree.is_discarded()) return repeat(text, random);
  for (std::size_t n = 1 + random.below(3); n > 0; --n) change_tree(tree, random);
  return tree.dump(random.one_in(4) ? 1 : -1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tokencycle::fuzz
