// SPDX-License-Identifier: Apache-2.0
#include "config/dram/sum.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace tokencycle::config {
namespace {

constexpr std::size_t kMostTerms = 16, kLongestSymbol = 32, kLongestNumber = 6;

bool is_letter_or_digit(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::optional<DramSum::Term> parse_term(const std::string& word, bool subtracted) {
  if (is_timing_symbol(word)) return DramSum::Term{word, 0, subtracted};
  const bool digits = std::all_of(word.begin(), word.end(),
                                  [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
  if (word.empty() || word.size() > kLongestNumber || !digits) return {};
  return DramSum::Term{"", std::stoll(word), subtracted};
}

}  // namespace

bool is_timing_symbol(const std::string& text) {
  return text.size() >= 2 && text.size() <= kLongestSymbol && text[0] == 'n' &&
         std::isupper(static_cast<unsigned char>(text[1])) != 0 &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c) || c == '_'; });
}

std::optional<DramSum> parse_sum(const std::string& text) {
  DramSum sum{text, {}};
  std::istringstream words(text);
  bool subtracted = false, joined = true;  // joined: a term must follow
  for (std::string word; words >> word;) {
    if (!joined) {
      if (word != "+" && word != "-") return {};
      subtracted = word == "-";
      joined = true;
      continue;
    }
    const auto term = parse_term(word, subtracted);
    if (!term || sum.terms.size() == kMostTerms) return {};
    sum.terms.push_back(*term);
    joined = false;
  }
  if (joined) return {};  // empty, or an operator at the end
  return sum;
}

std::int64_t DramSum::value(const std::map<std::string, std::uint32_t>& clocks) const {
  std::int64_t total = 0;
  for (const Term& t : terms) {
    const std::int64_t v = t.symbol.empty() ? t.number : std::int64_t{clocks.at(t.symbol)};
    total += t.subtracted ? -v : v;
  }
  return total;
}

}  // namespace tokencycle::config
