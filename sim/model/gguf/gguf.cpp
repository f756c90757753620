// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "base/digest.h"
#include "base/error.h"
#include "model/gguf/mapped_file.h"
#include "model/gguf/parse.h"
#include "model/gguf/split.h"

namespace tokencycle::model {
namespace {

constexpr std::string_view kKindNames[] = {
    "an unsigned integer", "a signed integer", "a floating-point number",
    "a boolean",           "a string",         "an array"};

[[noreturn]] void fail_type(const GgufFile& file, std::string_view key, std::string_view expected,
                            const GgufValue& value) {
  file.fail(fmt::format("key {} should be {}, but is {}; convert the model again", in_quotes(key), expected,
                        kKindNames[value.index()]));
}

template <class T>
const T* typed(const GgufFile& file, std::string_view key, std::string_view expected) {
  const GgufValue* value = file.find(key);
  if (value == nullptr) return nullptr;
  const T* result = std::get_if<T>(value);
  if (result == nullptr) fail_type(file, key, expected, *value);
  return result;
}

template <class T>
std::optional<T> copied(const T* value) {
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

}  // namespace

std::size_t GgufArray::size() const {
  return unsigned_values.size() + signed_values.size() + float_values.size() + bool_values.size() +
         strings.size();
}

std::uint64_t GgufTensor::elements() const {
  std::uint64_t product = 1;
  for (const std::uint64_t size : shape) product *= size;
  return product;
}

struct GgufFile::Impl {
  std::filesystem::path path;
  TensorData data = TensorData::absent;
  std::vector<std::byte> own_bytes;  // of another kind of file
  std::deque<MappedFile> parts;      // none then
  GgufContents contents;
  std::vector<GgufPiece> pieces;
  std::vector<std::uint64_t> directory_ends;  // of each part
  std::uint64_t data_bytes = 0;
  std::unordered_map<std::string_view, std::size_t> keys, tensors;  // name to index
  std::once_flag digest_once;
  std::string digest;

  std::span<const std::byte> bytes() const {
    return parts.empty() ? std::span<const std::byte>(own_bytes) : parts.front().bytes();
  }
  GgufContents open(const std::filesystem::path& file);
  void open_parts();
  void check_whole() const;
  void index();
};

// Maps and parses one file. What a file that becomes shorter meanwhile seems to have wrong is not what is
// wrong with it.
GgufContents GgufFile::Impl::open(const std::filesystem::path& file) {
  MappedFile& part = parts.emplace_back(file);
  const std::span<const std::byte> bytes = part.bytes();
  if (data == TensorData::present) part.need(bytes.size());
  GgufContents found;
  try {
    found = parse_gguf(bytes, file.string(), data);
  } catch (const ModelError&) {
    part.check_whole();
    throw;
  }
  if (data == TensorData::absent) part.need(found.directory_end);
  directory_ends.push_back(found.directory_end);
  part.check_whole();
  return found;
}

// The first part and, where the model is split, the others beside it.
void GgufFile::Impl::open_parts() {
  const auto add_piece = [this](std::uint64_t offset, std::uint64_t start) {
    if (data == TensorData::present) pieces.push_back({offset, parts.back().bytes().subspan(start)});
  };
  contents = open(path);
  add_piece(0, contents.data_start);
  const std::uint32_t count = count_parts(contents, path);
  for (std::uint32_t number = 2; number <= count; ++number) {
    const std::filesystem::path file = part_path(path, number, count);
    if (!std::filesystem::exists(file)) {
      throw ModelError(
          fmt::format("{}: part {} of {} is missing: {} does not exist; put all parts into one folder",
                      path.string(), number, count, file.string()));
    }
    GgufContents part = open(file);
    const std::uint64_t start = part.data_start;
    add_piece(append_part(contents, std::move(part), file, number, count), start);
  }
  if (count > 1) check_parts(contents, path);
}

void GgufFile::Impl::check_whole() const {
  for (const MappedFile& part : parts) part.check_whole();
}

void GgufFile::Impl::index() {
  for (const GgufTensor& tensor : contents.tensors) {
    data_bytes = std::max(data_bytes, tensor.file_offset + tensor.bytes - contents.data_start);
  }
  for (std::size_t i = 0; i < contents.metadata.size(); ++i) keys.emplace(contents.metadata[i].first, i);
  for (std::size_t i = 0; i < contents.tensors.size(); ++i) tensors.emplace(contents.tensors[i].name, i);
}

GgufFile::GgufFile(const std::filesystem::path& path, TensorData data) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->data = data;
  impl_->open_parts();
  impl_->index();
}

GgufFile::GgufFile(const std::filesystem::path& path, GgufContents contents, std::vector<std::byte> bytes)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->own_bytes = std::move(bytes);
  impl_->directory_ends = {contents.directory_end};
  impl_->contents = std::move(contents);
  impl_->index();
}

GgufFile::~GgufFile() = default;
GgufFile::GgufFile(GgufFile&&) noexcept = default;

const std::filesystem::path& GgufFile::path() const {
  return impl_->path;
}
std::uint32_t GgufFile::version() const {
  return impl_->contents.version;
}
const std::vector<std::pair<std::string, GgufValue>>& GgufFile::metadata() const {
  return impl_->contents.metadata;
}
const std::vector<GgufTensor>& GgufFile::tensors() const {
  return impl_->contents.tensors;
}
std::span<const std::byte> GgufFile::bytes() const {
  return impl_->bytes();
}
std::span<const std::byte> GgufFile::tensor_data() const {
  if (impl_->data == TensorData::absent) return {};
  return bytes().subspan(impl_->contents.data_start, impl_->data_bytes);
}

const std::vector<GgufPiece>& GgufFile::data_pieces() const {
  return impl_->pieces;
}
std::size_t GgufFile::parts() const {
  return std::max<std::size_t>(impl_->parts.size(), 1);
}
std::uint64_t GgufFile::file_bytes() const {
  std::uint64_t sum = impl_->own_bytes.size();
  for (const MappedFile& part : impl_->parts) sum += part.bytes().size();
  return sum;
}

TensorData GgufFile::data() const {
  return impl_->data;
}
std::uint64_t GgufFile::data_start() const {
  return impl_->contents.data_start;
}
std::uint64_t GgufFile::data_bytes() const {
  return impl_->data_bytes;
}

const std::string& GgufFile::digest() const {
  std::call_once(impl_->digest_once, [this] {
    Digest digest;
    const bool whole = impl_->data == TensorData::present;
    const auto add = [&](std::span<const std::byte> bytes, std::uint64_t directory_end) {
      digest.update(bytes.first(whole ? bytes.size() : directory_end));
    };
    if (impl_->parts.empty()) add(impl_->bytes(), impl_->directory_ends.front());
    for (std::size_t i = 0; i < impl_->parts.size(); ++i)
      add(impl_->parts[i].bytes(), impl_->directory_ends[i]);
    impl_->digest = digest.hex();
    check_whole();
  });
  return impl_->digest;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto at = impl_->tensors.find(name);
  return at == impl_->tensors.end() ? nullptr : &impl_->contents.tensors[at->second];
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto at = impl_->keys.find(key);
  return at == impl_->keys.end() ? nullptr : &impl_->contents.metadata[at->second].second;
}

std::optional<std::uint64_t> GgufFile::get_unsigned(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = std::get_if<std::uint64_t>(value)) return *number;
  const auto* number = std::get_if<std::int64_t>(value);
  if (number == nullptr) fail_type(*this, key, kKindNames[0], *value);
  if (*number < 0) {
    fail(fmt::format("key {} is {}, but should not be negative; convert the model again", in_quotes(key),
                     *number));
  }
  return static_cast<std::uint64_t>(*number);
}

std::uint64_t GgufFile::require_unsigned(std::string_view key) const {
  const std::optional<std::uint64_t> value = get_unsigned(key);
  if (!value)
    fail(fmt::format("key {} ({}) is missing; convert the model again", in_quotes(key), kKindNames[0]));
  return *value;
}

std::optional<double> GgufFile::get_float(std::string_view key) const {
  return copied(typed<double>(*this, key, kKindNames[2]));
}

std::optional<bool> GgufFile::get_bool(std::string_view key) const {
  return copied(typed<bool>(*this, key, kKindNames[3]));
}

std::optional<std::string> GgufFile::get_string(std::string_view key) const {
  return copied(typed<std::string>(*this, key, kKindNames[4]));
}

const GgufArray* GgufFile::get_array(std::string_view key) const {
  return typed<GgufArray>(*this, key, kKindNames[5]);
}

void GgufFile::check_whole() const {
  impl_->check_whole();
}

void GgufFile::fail(const std::string& message) const {
  check_whole();
  throw ModelError(fmt::format("{}: {}", impl_->path.string(), message));
}

}  // namespace tokencycle::model
