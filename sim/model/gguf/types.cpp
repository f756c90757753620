// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/types.h"

#include <algorithm>
#include <array>

namespace tokencycle::model {
namespace {

// Source: enum ggml_type in ggml.h and the block structures in ggml-common.h. 4 and 5 (Q4_2, Q4_3) were
// withdrawn before GGUF; 31-33 and 36-38 (interleaved rows) were withdrawn in 2024 but keep their sizes.
// Which of them have a format here, the table of numerics/formats says.
constexpr std::array kTypes = {
    GgmlType{0, "F32", 1, 4},           GgmlType{1, "F16", 1, 2},
    GgmlType{2, "Q4_0", 32, 18},        GgmlType{3, "Q4_1", 32, 20},
    GgmlType{6, "Q5_0", 32, 22},        GgmlType{7, "Q5_1", 32, 24},
    GgmlType{8, "Q8_0", 32, 34},        GgmlType{9, "Q8_1", 32, 36},
    GgmlType{10, "Q2_K", 256, 84},      GgmlType{11, "Q3_K", 256, 110},
    GgmlType{12, "Q4_K", 256, 144},     GgmlType{13, "Q5_K", 256, 176},
    GgmlType{14, "Q6_K", 256, 210},     GgmlType{15, "Q8_K", 256, 292},
    GgmlType{16, "IQ2_XXS", 256, 66},   GgmlType{17, "IQ2_XS", 256, 74},
    GgmlType{18, "IQ3_XXS", 256, 98},   GgmlType{19, "IQ1_S", 256, 50},
    GgmlType{20, "IQ4_NL", 32, 18},     GgmlType{21, "IQ3_S", 256, 110},
    GgmlType{22, "IQ2_S", 256, 82},     GgmlType{23, "IQ4_XS", 256, 136},
    GgmlType{24, "I8", 1, 1},           GgmlType{25, "I16", 1, 2},
    GgmlType{26, "I32", 1, 4},          GgmlType{27, "I64", 1, 8},
    GgmlType{28, "F64", 1, 8},          GgmlType{29, "IQ1_M", 256, 56},
    GgmlType{30, "BF16", 1, 2},         GgmlType{31, "Q4_0_4_4", 32, 18},
    GgmlType{32, "Q4_0_4_8", 32, 18},   GgmlType{33, "Q4_0_8_8", 32, 18},
    GgmlType{34, "TQ1_0", 256, 54},     GgmlType{35, "TQ2_0", 256, 66},
    GgmlType{36, "IQ4_NL_4_4", 32, 18}, GgmlType{37, "IQ4_NL_4_8", 32, 18},
    GgmlType{38, "IQ4_NL_8_8", 32, 18}, GgmlType{39, "MXFP4", 32, 17},
    GgmlType{40, "NVFP4", 64, 36},      GgmlType{41, "Q1_0", 128, 18},
    GgmlType{42, "Q2_0", 64, 18},
};

}  // namespace

std::uint32_t least_bytes(GgufValueType type) {
  switch (type) {
    case GgufValueType::u8:
    case GgufValueType::i8:
    case GgufValueType::boolean:
      return 1;
    case GgufValueType::u16:
    case GgufValueType::i16:
      return 2;
    case GgufValueType::u32:
    case GgufValueType::i32:
    case GgufValueType::f32:
      return 4;
    case GgufValueType::u64:
    case GgufValueType::i64:
    case GgufValueType::f64:
    case GgufValueType::string:
      return 8;
    case GgufValueType::array:
      return 12;
  }
  return 0;
}

const GgmlType* find_ggml_type(std::uint32_t id) {
  const auto* at =
      std::lower_bound(kTypes.begin(), kTypes.end(), id,
                       [](const GgmlType& type, std::uint32_t value) { return type.id < value; });
  return at != kTypes.end() && at->id == id ? at : nullptr;
}

std::string supported_types() {
  std::string text;
  int left = 0;
  const auto is_weight = [](const FormatRow& row) { return row.ggml >= 0 && row.as_weight; };
  for (const FormatRow& row : kFormatTable) left += is_weight(row) ? 1 : 0;
  for (const FormatRow& row : kFormatTable) {
    if (!is_weight(row)) continue;
    const GgmlType* type = find_ggml_type(static_cast<std::uint32_t>(row.ggml));
    if (type == nullptr) continue;
    if (!text.empty()) text += left == 1 ? " and " : ", ";
    text += type->name;
    --left;
  }
  return text;
}

}  // namespace tokencycle::model
