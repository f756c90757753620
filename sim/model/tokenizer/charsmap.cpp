// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer/charsmap.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

namespace {

constexpr const char* kCharsMapKey = "tokenizer.ggml.precompiled_charsmap";

// The fields of a unit.
bool unit_has_leaf(std::uint32_t unit) {
  return (unit >> 8 & 1) != 0;
}
std::uint32_t unit_label(std::uint32_t unit) {
  return unit & (1u << 31 | 0xFFu);
}
std::uint32_t unit_offset(std::uint32_t unit) {
  return unit >> 10 << ((unit & 1u << 9) >> 6);
}
std::uint32_t unit_value(std::uint32_t unit) {
  return unit & ~(1u << 31);
}

std::string charsmap_bytes(const GgufFile& file, const GgufArray& array) {
  std::string bytes;
  bytes.reserve(array.size());
  for (const std::uint64_t byte : array.unsigned_values) bytes += static_cast<char>(byte);
  for (const std::int64_t byte : array.signed_values) bytes += static_cast<char>(byte);
  if (bytes.size() != array.size())
    file.fail(fmt::format("{} must be an array of bytes (u8 or i8)", kCharsMapKey));
  return bytes;
}

}  // namespace

CharsMap::CharsMap(const GgufFile& file) : file_(file.path().string()) {
  const GgufArray* array = file.get_array(kCharsMapKey);
  if (array == nullptr || array->size() == 0) return;
  const std::string bytes = charsmap_bytes(file, *array);
  std::uint32_t table_bytes = 0;
  constexpr std::size_t kHeader = sizeof(table_bytes);
  if (bytes.size() >= kHeader) std::memcpy(&table_bytes, bytes.data(), kHeader);
  if (bytes.size() < kHeader || table_bytes % sizeof(std::uint32_t) != 0 || table_bytes == 0 ||
      table_bytes >= bytes.size() - kHeader) {
    file.fail(
        fmt::format("{} has {} bytes and says that {} of them are its table, which must be whole units of 4 "
                    "bytes with replacements behind them. Convert the model again",
                    kCharsMapKey, bytes.size(), table_bytes));
  }
  units_.resize(table_bytes / sizeof(std::uint32_t));
  std::memcpy(units_.data(), bytes.data() + kHeader, table_bytes);
  replacements_ = bytes.substr(kHeader + table_bytes);
}

void CharsMap::damaged() const {
  throw ModelError(
      fmt::format("{}: {} points outside itself, or has a replacement of more than {} bytes; the file may be "
                  "damaged: convert the model again",
                  file_, kCharsMapKey, kMaxReplacement));
}

std::uint32_t CharsMap::unit(std::size_t index) const {
  if (index >= units_.size()) damaged();
  return units_[index];
}

std::string_view CharsMap::replacement(std::size_t offset) const {
  const std::size_t end = replacements_.find('\0', offset);
  if (offset >= replacements_.size() || end == std::string::npos) damaged();
  if (end - offset > kMaxReplacement) damaged();
  return std::string_view(replacements_).substr(offset, end - offset);
}

std::optional<CharsMap::Rule> CharsMap::find(std::string_view text) const {
  if (units_.empty()) return std::nullopt;
  std::optional<Rule> longest;
  std::uint32_t node = unit_offset(unit(0));
  for (std::size_t i = 0; i < text.size() && text[i] != '\0'; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    node ^= byte;
    const std::uint32_t here = unit(node);
    if (unit_label(here) != byte) break;
    node ^= unit_offset(here);
    if (unit_has_leaf(here)) longest = Rule{i + 1, replacement(unit_value(unit(node)))};
  }
  return longest;
}

}  // namespace tokencycle::model
