// SPDX-License-Identifier: Apache-2.0
// The number formats that the machine stores and multiplies: questions to the table in formats/table.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "numerics/formats/table.h"

namespace tokencycle {

inline constexpr int kFormats = static_cast<int>(kFormatTable.size());

inline constexpr FormatRow kNoFormat{.name = "unknown format", .block_bytes = 0};

// The row of f. A code without a row (from a program that was not checked yet) gives an empty row of 0 bytes.
constexpr const FormatRow& row_of(Format f) {
  const auto code = static_cast<std::size_t>(f);
  return code < kFormatTable.size() ? kFormatTable[code] : kNoFormat;
}

// Elements that share one encoded unit, and its bytes.
constexpr std::uint32_t block_elements(Format f) {
  return row_of(f).block_elements;
}
constexpr std::uint32_t block_bytes(Format f) {
  return row_of(f).block_bytes;
}

// Bytes of a row of `elements` values: whole encoded units.
constexpr std::uint64_t row_bytes(Format f, std::uint64_t elements) {
  return (elements + block_elements(f) - 1) / block_elements(f) * block_bytes(f);
}

// Elements along the reduction dimension that are summed before the sum enters the fp32 accumulator. Of a
// product it is that of the weight.
constexpr std::uint32_t group_elements(Format f) {
  return row_of(f).group_elements;
}

constexpr bool is_real(Format f) {
  return row_of(f).numbers == Numbers::real;
}
constexpr bool is_scaled(Format f) {
  return row_of(f).numbers == Numbers::scaled;
}
constexpr bool is_integer(Format f) {
  return row_of(f).numbers == Numbers::integer;
}

// "f32", "q8_0", ...
constexpr std::string_view name_of(Format f) {
  return row_of(f).name;
}

// The format called `name`; false when there is none.
bool format_from_name(std::string_view name, Format& out);

// The format of this number in GGUF files (enum ggml_type).
std::optional<Format> format_of_ggml(std::uint32_t number);

std::string_view name_of(MultiplyType t);
std::string_view name_of(Decoding d);

// What a weight of format f meets: the multipliers that it needs and the format that activations take. Throws
// std::invalid_argument for formats that are no weights.
MultiplyType multiply_type(Format f);
Format activation_format(Format weight);

// What attention's second product takes of a cache in format f: values lie in blocks along the wrong
// dimension, so those of block formats are decoded to f16 first.
constexpr Format value_format(Format cache) {
  return is_scaled(cache) ? Format::f16 : cache;
}

// The weight among two operands that meet in the array; nothing when they do not go together.
constexpr std::optional<Format> weight_of(Format a, Format b) {
  const auto meets = [](Format weight, Format other) {
    const auto& product = row_of(weight).as_weight;
    return product && product->activations == other;
  };
  if (meets(a, b)) return a;
  if (meets(b, a)) return b;
  return std::nullopt;
}

// Where a product may be cut along k: multiples of so many elements are whole groups, and whole blocks of
// the weight and of the activations. Blocks and groups are powers of two.
constexpr std::uint32_t cut_elements(Format weight) {
  const auto& product = row_of(weight).as_weight;
  const std::uint32_t activations = product ? block_elements(product->activations) : 1;
  return std::max({group_elements(weight), block_elements(weight), activations});
}

// The bytes that a port reads for elements [first, first + count) of an encoded row: whole blocks, or of a
// single block the granules with these elements and the header.
struct RowPart {
  std::uint32_t begin, bytes;
};
RowPart row_part(Format f, std::uint32_t first, std::uint32_t count);

// A set of formats, in the order of the table.
class FormatSet {
 public:
  static constexpr int kMost = 64;
  constexpr FormatSet() = default;
  constexpr void add(Format f) { bits_ |= std::uint64_t{1} << static_cast<unsigned>(f); }
  constexpr bool has(Format f) const {
    return static_cast<unsigned>(f) < kMost && (bits_ >> static_cast<unsigned>(f) & 1u) != 0;
  }
  constexpr bool operator==(const FormatSet&) const = default;
  // "f32, f16, bf16"; `last` stands before the last one, as in ", " or " or ".
  std::string names(std::string_view last = ", ") const;

 private:
  std::uint64_t bits_ = 0;
};
static_assert(kFormats <= FormatSet::kMost);

// The formats whose row answers a question.
template <class Question>
constexpr FormatSet formats_where(const Question& question) {
  FormatSet set;
  for (int f = 0; f < kFormats; ++f) {
    if (question(row_of(static_cast<Format>(f)))) set.add(static_cast<Format>(f));
  }
  return set;
}

inline constexpr FormatSet kRealFormats =
    formats_where([](const FormatRow& r) { return r.numbers == Numbers::real; });
// What decode_row reads and encode_row writes.
inline constexpr FormatSet kDecodedFormats =
    formats_where([](const FormatRow& r) { return r.decode != nullptr; });
inline constexpr FormatSet kEncodedFormats =
    formats_where([](const FormatRow& r) { return r.encode != nullptr; });
inline constexpr FormatSet kWeightFormats =
    formats_where([](const FormatRow& r) { return r.as_weight.has_value(); });
inline constexpr FormatSet kCacheFormats = formats_where([](const FormatRow& r) { return r.in_cache; });
// Weights of a model file: those with a number in ggml.
inline constexpr FormatSet kModelFormats =
    formats_where([](const FormatRow& r) { return r.ggml >= 0 && r.as_weight.has_value(); });
// What weights of a model meet.
inline constexpr FormatSet kActivationFormats = [] {
  FormatSet set;
  for (const FormatRow& r : kFormatTable) {
    if (r.ggml >= 0 && r.as_weight) set.add(r.as_weight->activations);
  }
  return set;
}();

}  // namespace tokencycle
