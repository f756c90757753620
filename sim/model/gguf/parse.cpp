// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/parse.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>

#include "base/file_kind.h"
#include "model/gguf/limits.h"
#include "model/gguf/types.h"

namespace tokencycle::model {
namespace {

constexpr std::uint64_t kLeastKeyBytes = 8 + 4 + 1;             // length, type, value
constexpr std::uint64_t kLeastTensorBytes = 8 + 4 + 8 + 4 + 8;  // length, dimensions, one shape, type, offset

void check_magic(GgufReader& reader) {
  if (reader.size() == 0) reader.fail(0, "the file is empty; download or convert the model again");
  const auto magic = reader.read<std::uint32_t>("the magic");
  std::string text(4, '\0');
  std::memcpy(text.data(), &magic, 4);
  if (text == "GGUF") return;
  constexpr std::size_t kHead = 64;
  if (const std::string_view kind = kind_by_beginning(reader.beginning(kHead)); !kind.empty()) {
    reader.fail(0, fmt::format("no GGUF model but {}", kind));
  }
  reader.fail(0,
              fmt::format("the file begins with {}, not with 'GGUF': it is no GGUF model", in_quotes(text)));
}

std::uint32_t read_version(GgufReader& reader) {
  const std::uint64_t at = reader.offset();
  const auto version = reader.read<std::uint32_t>("the version");
  if (version == 2 || version == 3) return version;
  if (version == 1) {
    reader.fail(at,
                "GGUF version 1 is not supported (2 and 3 are); convert the model with a current converter");
  }
  if (version != 0 && (version & 0xffffu) == 0) {
    reader.fail(at,
                "a big-endian GGUF file is not supported; convert the model to little-endian "
                "(gguf_convert_endian.py FILE little)");
  }
  reader.fail(
      at, fmt::format("GGUF version {} is not supported (2 and 3 are); convert the model again", version));
}

// general.alignment where present. It applies to the data section wherever among the keys it stands.
std::uint64_t alignment_of(const GgufReader& reader, const GgufValue& value, std::uint64_t at) {
  const auto* number = std::get_if<std::uint64_t>(&value);
  if (number == nullptr)
    reader.fail(at, "general.alignment should be an unsigned integer; convert the model again");
  if (!std::has_single_bit(*number) || *number > kMaxAlignment) {
    reader.fail(at, fmt::format("general.alignment is {}, but should be a power of two from 1 to {}; "
                                "convert the model again",
                                *number, kMaxAlignment));
  }
  return *number;
}

}  // namespace

GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& file, TensorData data) {
  GgufReader reader(bytes, file);
  GgufContents contents;
  check_magic(reader);
  contents.version = read_version(reader);

  std::uint64_t at = reader.offset();
  const auto tensors = reader.read<std::uint64_t>("the number of tensors");
  reader.check_count(tensors, kLeastTensorBytes, kMaxTensors, at,
                     fmt::format("a directory of {} tensors", tensors));
  at = reader.offset();
  const auto keys = reader.read<std::uint64_t>("the number of keys");
  reader.check_count(keys, kLeastKeyBytes, kMaxKeys, at, fmt::format("metadata of {} keys", keys));

  std::uint64_t alignment = kDefaultAlignment;
  std::uint64_t elements_left = kMaxMetadataElements;
  std::unordered_map<std::string, std::uint64_t> seen;  // key to its offset
  contents.metadata.reserve(keys);
  for (std::uint64_t i = 0; i < keys; ++i) {
    at = reader.offset();
    std::string key = reader.read_string(kMaxKeyLength, "a key");
    if (key.empty()) reader.fail(at, fmt::format("key {} has no name; convert the model again", i));
    const auto [first, fresh] = seen.emplace(key, at);
    if (!fresh) {
      reader.fail(at, fmt::format("key {} appears twice, first at byte {}; convert the model again",
                                  in_quotes(key), first->second));
    }
    const auto type = reader.read<std::uint32_t>("the type of a value");
    GgufValue value = read_gguf_value(reader, type, elements_left);
    if (key == "general.alignment") alignment = alignment_of(reader, value, at);
    contents.metadata.emplace_back(std::move(key), std::move(value));
  }
  read_gguf_tensors(reader, bytes, tensors, alignment, data, contents);
  return contents;
}

}  // namespace tokencycle::model
