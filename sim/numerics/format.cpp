// SPDX-License-Identifier: Apache-2.0
#include "numerics/format.h"

#include <array>
#include <bit>
#include <stdexcept>

namespace tokencycle {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kMultiplyTypes> kMultiplyTypeNames = {"int8", "int4", "fp16", "bf16",
                                                                             "fp32"};

const Multiplication& product_of(Format f) {
  const std::optional<Multiplication>& product = row_of(f).as_weight;
  if (product) return *product;
  throw std::invalid_argument("the matrix unit does not multiply weights of format " +
                              std::string(name_of(f)));
}

constexpr bool rows_are_sound() {
  for (const FormatRow& r : kFormatTable) {
    if (r.block_bytes == 0 || r.block_elements % r.granule_elements != 0) return false;
    if (r.numbers == Numbers::scaled &&
        (r.unpack == nullptr || r.decode == nullptr || r.block_elements % r.group_elements != 0)) {
      return false;
    }
    if (r.numbers == Numbers::integer && r.integers == nullptr) return false;
    if (r.numbers == Numbers::real && (r.decode == nullptr || r.encode == nullptr)) return false;
    if (!r.as_weight) continue;
    // A minimum needs the sums of what it meets, for whole groups; a row is cut where both have borders.
    const FormatRow& x = kFormatTable[static_cast<std::size_t>(r.as_weight->activations)];
    if (r.numbers != x.numbers) return false;
    if (r.offset == Offset::minimum && x.offset != Offset::sum) return false;
    if (x.offset == Offset::sum && x.granule_elements < r.group_elements &&
        x.group_elements < r.group_elements) {
      return false;
    }
    if (r.numbers != Numbers::scaled) continue;
    const bool divides = r.group_elements % x.group_elements == 0 ||
                         (x.group_elements % r.group_elements == 0 && x.offset == Offset::none);
    if (!divides || x.encode == nullptr) return false;
  }
  return true;
}
static_assert(rows_are_sound());

}  // namespace

bool format_from_name(std::string_view name, Format& out) {
  for (std::size_t i = 0; i < kFormatTable.size(); ++i) {
    if (kFormatTable[i].name != name) continue;
    out = static_cast<Format>(i);
    return true;
  }
  return false;
}

std::optional<Format> format_of_ggml(std::uint32_t number) {
  for (std::size_t i = 0; i < kFormatTable.size(); ++i) {
    if (kFormatTable[i].ggml >= 0 && static_cast<std::uint32_t>(kFormatTable[i].ggml) == number) {
      return static_cast<Format>(i);
    }
  }
  return std::nullopt;
}

std::string_view name_of(MultiplyType t) {
  return kMultiplyTypeNames.at(static_cast<std::size_t>(t));
}

std::string_view name_of(Decoding d) {
  constexpr std::array<std::string_view, kDecodings> kNames = {"none", "fields", "packed_scales", "table"};
  return kNames.at(static_cast<std::size_t>(d));
}

MultiplyType multiply_type(Format f) {
  return product_of(f).multipliers;
}

Format activation_format(Format weight) {
  return product_of(weight).activations;
}

RowPart row_part(Format f, std::uint32_t first, std::uint32_t count) {
  const FormatRow& r = row_of(f);
  const std::uint32_t unit = r.block_elements, block = first / unit, begin = first % unit;
  const auto up = [](std::uint32_t value, std::uint32_t to) { return (value + to - 1) / to * to; };
  if (unit > 1 && begin + count <= unit) {
    const std::uint32_t payload = r.block_bytes - r.header_bytes;
    const std::uint32_t from = begin / r.granule_elements * r.granule_elements;
    const std::uint32_t elements = up(begin + count, r.granule_elements) - from;
    return {block * r.block_bytes + from * payload / unit, elements * payload / unit + r.header_bytes};
  }
  const std::uint32_t blocks = up(first + count, unit) / unit - block;
  return {block * r.block_bytes, blocks * r.block_bytes};
}

std::string FormatSet::names(std::string_view last) const {
  std::string text;
  int left = std::popcount(bits_);
  for (int f = 0; f < kFormats; ++f) {
    if (!has(static_cast<Format>(f))) continue;
    if (!text.empty()) text += left == 1 ? last : ", ";
    text += name_of(static_cast<Format>(f));
    --left;
  }
  return text;
}

}  // namespace tokencycle
