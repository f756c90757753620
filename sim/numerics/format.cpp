// SPDX-License-Identifier: Apache-2.0
#include "numerics/format.h"

#include <array>
#include <stdexcept>
#include <string>

namespace tokencycle {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, kFormats> kFormatNames = {"f32", "f16", "bf16", "q8_0", "q4_0",
                                                                 "u8",  "u32", "i8",   "i4"};
constexpr std::array<std::string_view, kMultiplyTypes> kMultiplyTypeNames = {"int8", "int4", "fp16", "bf16",
                                                                             "fp32"};

[[noreturn]] void refuse(Format f) {
  throw std::invalid_argument("the matrix unit does not multiply numbers of format " +
                              std::string(name_of(f)));
}

}  // namespace

std::string_view name_of(Format f) {
  return kFormatNames.at(static_cast<std::size_t>(f));
}

bool format_from_name(std::string_view name, Format& out) {
  for (std::size_t i = 0; i < kFormatNames.size(); ++i) {
    if (kFormatNames[i] != name) continue;
    out = static_cast<Format>(i);
    return true;
  }
  return false;
}

std::string_view name_of(MultiplyType t) {
  return kMultiplyTypeNames.at(static_cast<std::size_t>(t));
}

MultiplyType multiply_type(Format f) {
  switch (f) {
    case Format::f32:
      return MultiplyType::fp32;
    case Format::f16:
      return MultiplyType::fp16;
    case Format::bf16:
      return MultiplyType::bf16;
    case Format::q8_0:
    case Format::i8:
      return MultiplyType::int8;
    case Format::q4_0:
    case Format::i4:
      return MultiplyType::int4;
    case Format::u8:
    case Format::u32:
      break;
  }
  refuse(f);
}

Format activation_format(Format weight) {
  switch (weight) {
    case Format::f32:
    case Format::f16:
    case Format::bf16:
      return weight;
    case Format::q8_0:
    case Format::q4_0:
      return Format::q8_0;
    case Format::i8:
    case Format::i4:
      return Format::i8;
    case Format::u8:
    case Format::u32:
      break;
  }
  refuse(weight);
}

}  // namespace tokencycle
