// SPDX-License-Identifier: Apache-2.0
#include "cli/shapes_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/error.h"
#include "base/text.h"

namespace tokencycle::cli {

namespace {

constexpr std::size_t kShown = 40;  // characters of a bad value
constexpr const char* kSides[] = {"M", "N", "K"};

std::string trimmed(const std::string& text) {
  const char* const blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Without the empty fields that trailing commas make.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, ',');) fields.push_back(trimmed(field));
  while (!fields.empty() && fields.back().empty()) fields.pop_back();
  return fields;
}

// "Layer, M, N, K": the sides by name, in this order.
bool is_heading(const std::vector<std::string>& fields) {
  if (fields.size() < 4) return false;
  return std::equal(
      fields.begin() + 1, fields.begin() + 4, std::begin(kSides), [](std::string f, const char* side) {
        std::transform(f.begin(), f.end(), f.begin(), [](unsigned char c) { return std::toupper(c); });
        return f == side;
      });
}

}  // namespace

std::uint32_t parse_side(const std::string& text, const std::string& what) {
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && rest == text.data() + text.size() && value >= 1 &&
      value <= compiler::kLongestSide) {
    return static_cast<std::uint32_t>(value);
  }
  const std::string shown = text.size() <= kShown ? text : text.substr(0, kShown) + "...";
  throw UsageError(fmt::format("{} is '{}'; it must be a whole number, 1 to {}", what, shown,
                               with_separators(compiler::kLongestSide)));
}

std::vector<host::GemmLayer> parse_shapes(const std::string& text, const std::string& source_name) {
  std::vector<host::GemmLayer> layers;
  std::istringstream in(text);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // a byte-order mark
    const std::vector<std::string> fields = fields_of(line);
    if (fields.empty() || (layers.empty() && is_heading(fields))) continue;
    const std::string place = fmt::format("{}:{}", source_name, number);
    if (fields.size() != 4) {
      throw UsageError(
          fmt::format("{}: {} columns; a line must be a name, M, N and K, as in SCALE-Sim's GEMM "
                      "topologies (convolutions and sparsity are not read)",
                      place, fields.size()));
    }
    compiler::GemmShape shape;
    std::uint32_t* const sides[] = {&shape.m, &shape.n, &shape.k};
    for (std::size_t s = 0; s < 3; ++s)
      *sides[s] = parse_side(fields[s + 1], fmt::format("{}: {}", place, kSides[s]));
    layers.push_back({fields[0], shape});
  }
  if (layers.empty()) {
    throw UsageError(fmt::format("{}: no layers; a line must be a name, M, N and K", source_name));
  }
  return layers;
}

}  // namespace tokencycle::cli
