// SPDX-License-Identifier: Apache-2.0
#include "model/gguf/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/iostreams/device/mapped_file.hpp>
#include <cerrno>
#include <mutex>
#include <new>
#include <unordered_map>

#include "base/digest.h"
#include "base/error.h"
#include "model/gguf/mapping_watch.h"
#include "model/gguf/parse.h"

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
  std::vector<std::byte> own_bytes;
  boost::iostreams::mapped_file_source map;
  std::optional<MappingWatch> watch;  // of the map
  std::span<const std::byte> bytes;
  std::uint64_t needed = 0;  // of the bytes, from the first on
  GgufContents contents;
  std::uint64_t data_bytes = 0;
  std::unordered_map<std::string_view, std::size_t> keys, tensors;  // name to index
  std::once_flag digest_once;
  std::string digest;

  void open();
  void parse();
  void check_whole() const;
  void index();
};

void GgufFile::Impl::open() {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error || !std::filesystem::exists(status)) {
    throw IoError(fmt::format("{}: there is no such file; check the path", path.string()));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw IoError(fmt::format("{}: not a regular file; give the path of a GGUF model", path.string()));
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw IoError(fmt::format("{}: cannot be read: {}", path.string(), error.message()));
  if (size == 0) return;  // nothing to map; the parser refuses it
  errno = 0;
  try {
    map.open(path.string());
  } catch (const std::exception& failure) {
    if (errno == ENOMEM) throw std::bad_alloc();
    throw IoError(
        fmt::format("{}: cannot be mapped: {}; check its permissions", path.string(), failure.what()));
  }
  bytes = std::as_bytes(std::span(map.data(), map.size()));
  watch.emplace(path, bytes);
}

// What a file that becomes shorter meanwhile seems to have wrong is not what is wrong with it.
void GgufFile::Impl::parse() {
  if (data == TensorData::present) needed = bytes.size();
  try {
    contents = parse_gguf(bytes, path.string(), data);
  } catch (const ModelError&) {
    check_whole();
    throw;
  }
  if (data == TensorData::absent) needed = contents.directory_end;
  check_whole();
}

void GgufFile::Impl::check_whole() const {
  const std::uint64_t lost = watch ? watch->first_lost(needed) : MappingWatch::kNone;
  if (lost == MappingWatch::kNone) return;
  throw ModelError(
      fmt::format("{}: the file became shorter while it was read (byte {} is gone; it had {} bytes); do not "
                  "change a model that is in use",
                  path.string(), lost, bytes.size()));
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
  impl_->open();
  impl_->parse();
  impl_->index();
}

GgufFile::GgufFile(const std::filesystem::path& path, GgufContents contents, std::vector<std::byte> bytes)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->own_bytes = std::move(bytes);
  impl_->bytes = impl_->own_bytes;
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
  return impl_->bytes;
}
std::span<const std::byte> GgufFile::tensor_data() const {
  if (impl_->data == TensorData::absent) return {};
  return bytes().subspan(impl_->contents.data_start, impl_->data_bytes);
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
    const std::span<const std::byte> all = impl_->bytes;
    const bool whole = impl_->data == TensorData::present;
    impl_->digest = digest_of(all.first(whole ? all.size() : impl_->contents.directory_end));
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
