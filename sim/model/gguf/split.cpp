// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "base/quantity.h"
#include "model/gguf/limits.h"

namespace tokencycle::model {

namespace {

// "-00002-of-00003.gguf"
struct PartName {
  std::string prefix;
  std::uint32_t number = 0, count = 0;
};

std::string part_suffix(std::uint32_t number, std::uint32_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", number, count);
}

std::optional<PartName> parse_name(const std::string& name) {
  const std::size_t length = part_suffix(1, 1).size();
  if (name.size() < length) return std::nullopt;
  const std::string_view suffix = std::string_view(name).substr(name.size() - length);
  PartName part{name.substr(0, name.size() - length), 0, 0};
  std::from_chars(suffix.data() + 1, suffix.data() + 6, part.number);
  std::from_chars(suffix.data() + 10, suffix.data() + 15, part.count);
  if (part.number == 0 || part.number > part.count) return std::nullopt;
  return suffix == part_suffix(part.number, part.count) ? std::optional(part) : std::nullopt;
}

// A whole number of the metadata, of whatever width and sign; absent where the key is.
std::optional<std::uint64_t> number_of(const GgufContents& contents, std::string_view key,
                                       const std::filesystem::path& path) {
  for (const auto& [name, value] : contents.metadata) {
    if (name != key) continue;
    if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number != nullptr && *number >= 0) return static_cast<std::uint64_t>(*number);
    throw ModelError(fmt::format("{}: key {} should be an unsigned integer; split the model again",
                                 path.string(), in_quotes(key)));
  }
  return std::nullopt;
}

// The bytes of the data sections up to the end of the last tensor.
std::uint64_t data_end(const GgufContents& contents) {
  std::uint64_t end = 0;
  for (const GgufTensor& tensor : contents.tensors) {
    end = std::max(end, tensor.file_offset + tensor.bytes - contents.data_start);
  }
  return end;
}

}  // namespace

std::uint32_t count_parts(const GgufContents& first, const std::filesystem::path& path) {
  const std::uint64_t count = number_of(first, "split.count", path).value_or(1);
  if (count <= 1) return 1;
  if (count > kMaxParts) {
    throw ModelError(fmt::format("{}: split.count is {}, over the limit of {} files; join some of them",
                                 path.string(), count, kMaxParts));
  }
  const std::uint64_t number = number_of(first, "split.no", path).value_or(0) + 1;
  const std::optional<PartName> name = parse_name(path.filename().string());
  if (number != 1) {
    const std::string other =
        name && name->count == count
            ? (path.parent_path() / (name->prefix + part_suffix(1, name->count))).string()
            : "the file whose name ends in " + part_suffix(1, static_cast<std::uint32_t>(count));
    throw ModelError(fmt::format("{}: this is part {} of {}; give the first part, {}", path.string(), number,
                                 count, other));
  }
  if (!name || name->number != 1 || name->count != count) {
    throw ModelError(fmt::format(
        "{}: this is part 1 of {}, but its name does not end in {}, by which the others are found; "
        "give it back its name",
        path.string(), count, part_suffix(1, static_cast<std::uint32_t>(count))));
  }
  return static_cast<std::uint32_t>(count);
}

std::filesystem::path part_path(const std::filesystem::path& first, std::uint32_t number,
                                std::uint32_t count) {
  const std::string name = first.filename().string();
  return first.parent_path() /
         (name.substr(0, name.size() - part_suffix(1, count).size()) + part_suffix(number, count));
}

std::uint64_t append_part(GgufContents& whole, GgufContents part, const std::filesystem::path& path,
                          std::uint32_t number, std::uint32_t count) {
  const std::uint64_t own_number = number_of(part, "split.no", path).value_or(0) + 1;
  const std::uint64_t own_count = number_of(part, "split.count", path).value_or(1);
  if (own_number != number || own_count != count) {
    throw ModelError(
        fmt::format("{}: the file says that it is part {} of {}, but its name that it is part {} of {}; give "
                    "the files back their names",
                    path.string(), own_number, own_count, number, count));
  }
  const std::uint64_t alignment = number_of(whole, "general.alignment", path).value_or(kDefaultAlignment);
  const std::uint64_t begin = round_up(data_end(whole), alignment);
  const std::uint64_t bytes = data_end(part);
  if (bytes > kMaxDataBytes || begin > kMaxDataBytes - bytes ||
      whole.tensors.size() + part.tensors.size() > kMaxTensors) {
    throw ModelError(
        fmt::format("{}: with this part the model has {} tensors in {} bytes, more than the {} "
                    "tensors or {} bytes that are read",
                    path.string(), whole.tensors.size() + part.tensors.size(), begin + bytes, kMaxTensors,
                    kMaxDataBytes));
  }
  std::unordered_set<std::string_view> names;
  for (const GgufTensor& tensor : whole.tensors) names.insert(tensor.name);
  for (const GgufTensor& tensor : part.tensors) {
    if (!names.contains(tensor.name)) continue;
    throw ModelError(fmt::format("{}: tensor {} is in an earlier part, too; split the model again",
                                 path.string(), in_quotes(tensor.name)));
  }
  whole.tensors.reserve(whole.tensors.size() + part.tensors.size());
  for (GgufTensor& tensor : part.tensors) {
    tensor.file_offset += whole.data_start + begin - part.data_start;
    whole.tensors.push_back(std::move(tensor));
  }
  return begin;
}

void check_parts(const GgufContents& whole, const std::filesystem::path& first) {
  const auto said = number_of(whole, "split.tensors.count", first);
  if (!said || *said == whole.tensors.size()) return;
  throw ModelError(
      fmt::format("{}: split.tensors.count is {}, but the parts have {} tensors; download or "
                  "split the model again",
                  first.string(), *said, whole.tensors.size()));
}

std::vector<std::filesystem::path> named_parts(const std::filesystem::path& path) {
  const std::optional<PartName> name = parse_name(path.filename().string());
  if (!name || name->count > kMaxParts) return {path};
  std::vector<std::filesystem::path> parts;
  for (std::uint32_t number = 1; number <= name->count; ++number) {
    parts.push_back(path.parent_path() / (name->prefix + part_suffix(number, name->count)));
  }
  return parts;
}

}  // namespace tokencycle::model
