// SPDX-License-Identifier: Apache-2.0
// Metadata values: numbers widen to 64 bits, arrays keep one element type.
#include <fmt/format.h>

#include "model/gguf/limits.h"
#include "model/gguf/parse.h"
#include "model/gguf/types.h"

namespace tokencycle::model {
namespace {

bool read_bool(GgufReader& reader) {
  const std::uint64_t at = reader.offset();
  const auto byte = reader.read<std::uint8_t>("a boolean");
  if (byte > 1)
    reader.fail(at, fmt::format("a boolean is {}, but should be 0 or 1; the file may be damaged", byte));
  return byte == 1;
}

// Appends one element of a type that is neither an array nor unknown.
void append(GgufReader& reader, GgufValueType type, GgufArray& array) {
  constexpr std::string_view kWhat = "a metadata value";
  switch (type) {
    case GgufValueType::u8:
      array.unsigned_values.push_back(reader.read<std::uint8_t>(kWhat));
      return;
    case GgufValueType::u16:
      array.unsigned_values.push_back(reader.read<std::uint16_t>(kWhat));
      return;
    case GgufValueType::u32:
      array.unsigned_values.push_back(reader.read<std::uint32_t>(kWhat));
      return;
    case GgufValueType::u64:
      array.unsigned_values.push_back(reader.read<std::uint64_t>(kWhat));
      return;
    case GgufValueType::i8:
      array.signed_values.push_back(reader.read<std::int8_t>(kWhat));
      return;
    case GgufValueType::i16:
      array.signed_values.push_back(reader.read<std::int16_t>(kWhat));
      return;
    case GgufValueType::i32:
      array.signed_values.push_back(reader.read<std::int32_t>(kWhat));
      return;
    case GgufValueType::i64:
      array.signed_values.push_back(reader.read<std::int64_t>(kWhat));
      return;
    case GgufValueType::f32:
      array.float_values.push_back(reader.read<float>(kWhat));
      return;
    case GgufValueType::f64:
      array.float_values.push_back(reader.read<double>(kWhat));
      return;
    case GgufValueType::boolean:
      array.bool_values.push_back(read_bool(reader));
      return;
    case GgufValueType::string:
      array.strings.push_back(reader.read_string(kMaxStringLength, "a string"));
      return;
    case GgufValueType::array:
      return;
  }
}

void reserve(GgufValueType type, std::uint64_t count, GgufArray& array) {
  switch (type) {
    case GgufValueType::u8:
    case GgufValueType::u16:
    case GgufValueType::u32:
    case GgufValueType::u64:
      array.unsigned_values.reserve(count);
      return;
    case GgufValueType::i8:
    case GgufValueType::i16:
    case GgufValueType::i32:
    case GgufValueType::i64:
      array.signed_values.reserve(count);
      return;
    case GgufValueType::f32:
    case GgufValueType::f64:
      array.float_values.reserve(count);
      return;
    case GgufValueType::boolean:
      array.bool_values.reserve(count);
      return;
    case GgufValueType::string:
      array.strings.reserve(count);
      return;
    case GgufValueType::array:
      return;
  }
}

GgufValueType checked_type(const GgufReader& reader, std::uint32_t type, std::uint64_t at) {
  const auto value_type = static_cast<GgufValueType>(type);
  if (least_bytes(value_type) == 0) {
    reader.fail(at,
                fmt::format("metadata type {} is not one of the format's 0 to 12; the file may be damaged, "
                            "or newer than this program",
                            type));
  }
  return value_type;
}

GgufArray read_array(GgufReader& reader, std::uint64_t& elements_left) {
  const std::uint64_t at = reader.offset();
  const GgufValueType type =
      checked_type(reader, reader.read<std::uint32_t>("the element type of an array"), at);
  if (type == GgufValueType::array)
    reader.fail(at, "an array of arrays is not supported; convert the model again");
  const std::uint64_t count_at = reader.offset();
  const auto count = reader.read<std::uint64_t>("the length of an array");
  const std::string what = fmt::format("an array of {} values", count);
  reader.check_count(count, least_bytes(type), kMaxArrayElements, count_at, what);
  if (count > elements_left) {
    reader.fail(count_at,
                fmt::format("{} brings all arrays over {} values, the most that is read; convert the "
                            "model again",
                            what, kMaxMetadataElements));
  }
  elements_left -= count;
  GgufArray array;
  reserve(type, count, array);
  for (std::uint64_t i = 0; i < count; ++i) append(reader, type, array);
  return array;
}

}  // namespace

GgufValue read_gguf_value(GgufReader& reader, std::uint32_t type, std::uint64_t& elements_left) {
  const GgufValueType value_type = checked_type(reader, type, reader.offset() - sizeof(type));
  if (value_type == GgufValueType::array) return read_array(reader, elements_left);
  GgufArray one;
  append(reader, value_type, one);
  if (!one.unsigned_values.empty()) return one.unsigned_values.front();
  if (!one.signed_values.empty()) return one.signed_values.front();
  if (!one.float_values.empty()) return one.float_values.front();
  if (!one.bool_values.empty()) return static_cast<bool>(one.bool_values.front());
  return std::move(one.strings.front());
}

}  // namespace tokencycle::model
