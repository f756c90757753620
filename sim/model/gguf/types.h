// SPDX-License-Identifier: Apache-2.0
// The numbers that a GGUF file uses for the types of metadata values and of tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "numerics/format.h"

namespace tokencycle::model {

// Metadata value types; the numbers are the format's.
enum class GgufValueType : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

// Bytes that one value takes at least in the file (a string: its length field); 0 for an unknown type.
std::uint32_t least_bytes(GgufValueType type);

// One tensor type of ggml: `block_elements` values of a row take `block_bytes` bytes.
struct GgmlType {
  std::uint32_t id = 0;
  std::string_view name;
  std::uint32_t block_elements = 1;
  std::uint32_t block_bytes = 0;
  std::optional<Format> format() const { return format_of_ggml(id); }  // where this project knows it
};

// The type with this number, also when it is not supported or was withdrawn from ggml; nullptr when unknown.
const GgmlType* find_ggml_type(std::uint32_t id);

// "F32, F16, BF16, Q8_0 and ...": the supported types, for messages.
std::string supported_types();

}  // namespace tokencycle::model
