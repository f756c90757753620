// SPDX-License-Identifier: Apache-2.0
#include "cli/shapes_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/text.h"

namespace tokencycle::cli {

namespace {

constexpr std::size_t kShown = 40;  // characters of a bad value
constexpr const char* kRemedy = "a line must be a name, M, N and K, or the file must begin with a heading";

enum class Column : std::uint8_t {
  name,
  m,
  n,
  k,
  sparsity,
  input_height,
  input_width,
  filter_height,
  filter_width,
  channels,
  filters,
  stride,
  stride_width
};
constexpr std::size_t kColumns = 13;

// Headings in small letters without what is no letter. Conv: SCALE-Sim's topologies/conv_nets.
struct Heading {
  const char* text;
  Column column;
};
constexpr Heading kHeadings[] = {{"layer", Column::name},
                                 {"layername", Column::name},
                                 {"name", Column::name},
                                 {"op", Column::name},
                                 {"m", Column::m},
                                 {"mdimension", Column::m},
                                 {"dimm", Column::m},
                                 {"rows", Column::m},
                                 {"n", Column::n},
                                 {"ndimension", Column::n},
                                 {"dimn", Column::n},
                                 {"columns", Column::n},
                                 {"k", Column::k},
                                 {"kdimension", Column::k},
                                 {"dimk", Column::k},
                                 {"inner", Column::k},
                                 {"sparsity", Column::sparsity},
                                 {"sparsitysupport", Column::sparsity},
                                 {"sparsityratio", Column::sparsity},
                                 {"ifmapheight", Column::input_height},
                                 {"ifmapwidth", Column::input_width},
                                 {"filterheight", Column::filter_height},
                                 {"filterwidth", Column::filter_width},
                                 {"channels", Column::channels},
                                 {"numfilter", Column::filters},
                                 {"numfilters", Column::filters},
                                 {"strides", Column::stride},
                                 {"stride", Column::stride},
                                 {"strideheight", Column::stride},
                                 {"stridewidth", Column::stride_width}};

std::string trimmed(const std::string& text) {
  const char* const blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// RFC 4180 quotes; without the empty fields that trailing separators make.
std::vector<std::string> fields_of(const std::string& line, char separator) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  for (std::string& field : fields) field = trimmed(field);
  while (!fields.empty() && fields.back().empty()) fields.pop_back();
  return fields;
}

char separator_of(const std::string& line) {
  for (const char c : {';', '\t'}) {
    if (line.find(c) != std::string::npos && line.find(',') == std::string::npos) return c;
  }
  return ',';
}

std::string letters_of(const std::string& text) {
  std::string letters;
  for (const unsigned char c : text) {
    if (std::isalpha(c) != 0) letters += static_cast<char>(std::tolower(c));
  }
  return letters;
}

std::optional<Column> column_of(const std::string& field) {
  const std::string letters = letters_of(field);
  for (const Heading& h : kHeadings) {
    if (letters == h.text) return h.column;
  }
  return std::nullopt;
}

bool is_number(const std::string& field) {
  return !field.empty() && field.find_first_not_of("0123456789.") == std::string::npos;
}

// The list's columns, by heading or by count.
class Columns {
 public:
  // M, N, K behind a name, or alone.
  static Columns plain(std::size_t count) {
    Columns c;
    const std::size_t first = count == 3 ? 0 : 1;
    if (first == 1) c.at_[0] = 0;
    for (std::size_t side = 0; side < 3; ++side) c.at_[1 + side] = first + side;
    c.count_ = first + 3;
    return c;
  }

  static Columns of_heading(const std::vector<std::string>& fields, const std::string& place) {
    Columns c;
    c.count_ = fields.size();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const std::optional<Column> column = column_of(fields[i]);
      if (!column) {
        throw UsageError(
            fmt::format("{}: a column '{}' is not known; leave it out; the columns are name, M, N and "
                        "K, or SCALE-Sim's of convolutions",
                        place, fields[i].substr(0, kShown)));
      }
      auto& at = c.at_[static_cast<std::size_t>(*column)];
      if (at) throw UsageError(fmt::format("{}: two columns '{}'", place, fields[i].substr(0, kShown)));
      at = i;
    }
    const bool sides = c.has(Column::m) && c.has(Column::n) && c.has(Column::k);
    if (!sides && !c.convolutions()) {
      throw UsageError(
          fmt::format("{}: the heading names neither M, N and K nor all columns of a convolution "
                      "(IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
                      "Strides)",
                      place));
    }
    return c;
  }

  bool has(Column column) const { return at_[static_cast<std::size_t>(column)].has_value(); }
  bool convolutions() const {
    for (const Column c : {Column::input_height, Column::input_width, Column::filter_height,
                           Column::filter_width, Column::channels, Column::filters, Column::stride}) {
      if (!has(c)) return false;
    }
    return true;
  }
  std::size_t count() const { return count_; }
  const std::string& text(const std::vector<std::string>& fields, Column column) const {
    return fields[*at_[static_cast<std::size_t>(column)]];
  }

 private:
  std::array<std::optional<std::size_t>, kColumns> at_{};
  std::size_t count_ = 0;
};

// A line's layer.
class LayerOf {
 public:
  LayerOf(const Columns& columns, const std::vector<std::string>& fields, const std::string& place)
      : columns_(columns), fields_(fields), place_(place) {}

  host::GemmLayer layer(std::size_t number) const {
    check_dense();
    const std::string name =
        columns_.has(Column::name) ? columns_.text(fields_, Column::name) : fmt::format("layer {}", number);
    return {name, columns_.convolutions() ? im2col() : plain()};
  }

 private:
  std::uint32_t side(Column column, const char* what) const {
    return parse_side(columns_.text(fields_, column), fmt::format("{}: {}", place_, what));
  }

  host::GemmShape plain() const { return {side(Column::m, "M"), side(Column::n, "N"), side(Column::k, "K")}; }

  // As SCALE-Sim counts: no padding, a last window that is cut off counts.
  host::GemmShape im2col() const {
    const std::uint32_t stride = side(Column::stride, "Strides");
    const std::uint32_t stride_width =
        columns_.has(Column::stride_width) ? side(Column::stride_width, "Stride Width") : stride;
    const std::uint32_t height = side(Column::filter_height, "Filter Height"),
                        width = side(Column::filter_width, "Filter Width");
    const std::uint64_t m = positions(side(Column::input_height, "IFMAP Height"), height, stride) *
                            positions(side(Column::input_width, "IFMAP Width"), width, stride_width);
    const std::uint64_t k = std::uint64_t{height} * width * side(Column::channels, "Channels");
    return {checked(m, "output positions"), side(Column::filters, "Num Filter"),
            checked(k, "values of a window")};
  }

  std::uint64_t positions(std::uint32_t input, std::uint32_t filter, std::uint32_t stride) const {
    if (filter > input) {
      throw UsageError(
          fmt::format("{}: a filter of {} on an input of {}; SCALE-Sim's inputs include their padding",
                      place_, filter, input));
    }
    return ceil_div(input - filter + std::uint64_t{stride}, std::uint64_t{stride});
  }

  std::uint32_t checked(std::uint64_t value, const char* what) const {
    if (value <= host::kLongestSide) return static_cast<std::uint32_t>(value);
    throw UsageError(fmt::format("{}: {} {}; there are at most {}", place_, with_separators(value), what,
                                 with_separators(host::kLongestSide)));
  }

  // "N:M": N of M values are not zero.
  void check_dense() const {
    if (!columns_.has(Column::sparsity)) return;
    const std::string& text = columns_.text(fields_, Column::sparsity);
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos && colon != 0 && text.substr(0, colon) == text.substr(colon + 1)) return;
    throw UsageError(
        fmt::format("{}: sparsity '{}'; sparse products are not modelled: only 1:1 (dense) is read", place_,
                    text.substr(0, kShown)));
  }

  const Columns& columns_;
  const std::vector<std::string>& fields_;
  const std::string& place_;
};

// "64.000" of a table of floats is 64.
std::string without_zero_fraction(const std::string& text) {
  const std::size_t point = text.find('.');
  if (point == std::string::npos || point == 0 || point + 1 == text.size()) return text;
  return text.find_first_not_of('0', point + 1) == std::string::npos ? text.substr(0, point) : text;
}

std::string form_of(const Columns& columns, std::size_t layers) {
  return fmt::format(
      "{} layer{}{}", with_separators(layers), layers == 1 ? "" : "s",
      columns.convolutions()
          ? ": convolutions as products by im2col (M output positions, N filters, K values of a "
            "window; an input is stored once per window)"
          : " of M, N and K");
}

}  // namespace

std::uint32_t parse_side(const std::string& text, const std::string& what) {
  const std::string whole = without_zero_fraction(text);
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (error == std::errc() && rest == whole.data() + whole.size() && value >= 1 &&
      value <= host::kLongestSide) {
    return static_cast<std::uint32_t>(value);
  }
  const std::string shown = text.size() <= kShown ? text : text.substr(0, kShown) + "...";
  throw UsageError(fmt::format("{} is '{}'; it must be a whole number, 1 to {}", what, shown,
                               with_separators(host::kLongestSide)));
}

ShapesList parse_shapes(const std::string& text, const std::string& source_name) {
  ShapesList list;
  std::optional<Columns> columns;
  std::istringstream in(text);
  std::size_t number = 0;
  char separator = ',';
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // a byte-order mark
    if (!columns) separator = separator_of(line);
    const std::vector<std::string> fields = fields_of(line, separator);
    if (fields.empty()) continue;
    const std::string place = fmt::format("{}:{}", source_name, number);
    if (!columns) {
      const bool heading = std::none_of(fields.begin(), fields.end(), is_number) && fields.size() >= 3;
      columns = heading ? Columns::of_heading(fields, place) : Columns::plain(fields.size());
      if (heading) continue;
    }
    if (fields.size() != columns->count()) {
      throw UsageError(
          fmt::format("{}: {} columns instead of {}; {}", place, fields.size(), columns->count(), kRemedy));
    }
    list.layers.push_back(LayerOf(*columns, fields, place).layer(list.layers.size() + 1));
  }
  if (list.layers.empty()) throw UsageError(fmt::format("{}: no layers; {}", source_name, kRemedy));
  list.form = form_of(*columns, list.layers.size());
  return list;
}

}  // namespace tokencycle::cli
