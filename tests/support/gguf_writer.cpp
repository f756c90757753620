// SPDX-License-Identifier: Apache-2.0
#include "support/gguf_writer.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <type_traits>

#include "base/quantity.h"
#include "numerics/blocks.h"
#include "support/random_blocks.h"

namespace tokencycle::test {
namespace {

enum ValueType : std::uint32_t {
  kU8 = 0,
  kU16 = 2,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10
};

void put_bytes(std::vector<std::byte>& out, const void* bytes, std::size_t count) {
  const std::size_t before = out.size();
  out.resize(before + count);
  if (count > 0) std::memcpy(out.data() + before, bytes, count);
}

template <class T>
void put(std::vector<std::byte>& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  put_bytes(out, &value, sizeof(value));
}

void put_string(std::vector<std::byte>& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  put_bytes(out, text.data(), text.size());
}

template <class T>
std::vector<std::byte> bytes_of(T value) {
  std::vector<std::byte> out;
  put(out, value);
  return out;
}

template <class T>
std::vector<std::byte> array_of(ValueType type, const std::vector<T>& values) {
  std::vector<std::byte> out;
  put<std::uint32_t>(out, type);
  put<std::uint64_t>(out, values.size());
  for (const T& value : values) {
    if constexpr (std::is_same_v<T, std::string>) {
      put_string(out, value);
    } else {
      put(out, value);
    }
  }
  return out;
}

void pad(std::vector<std::byte>& out, std::uint64_t alignment) {
  out.resize(round_up(out.size(), alignment));
}

}  // namespace

TemporaryFile::TemporaryFile(std::string_view suffix) {
  static std::atomic<unsigned> counter = 0;  // unique within the process; its id makes it unique outside
  path_ = std::filesystem::temp_directory_path() / ("tokencycle_" + std::to_string(::getpid()) + "_" +
                                                    std::to_string(counter++) + std::string(suffix));
}

TemporaryFile::TemporaryFile(std::span<const std::byte> contents, std::string_view suffix)
    : TemporaryFile(suffix) {
  write(contents);
}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept : path_(std::move(other.path_)) {
  other.path_.clear();
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;  // a file that was never written is not there
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

void TemporaryFile::write(std::span<const std::byte> contents) const {
  std::ofstream out(path_, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(contents.data()), static_cast<std::streamsize>(contents.size()));
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path_.string());
}

std::uint32_t ggml_type_of(Format format) {
  const int number = row_of(format).ggml;
  if (number >= 0) return static_cast<std::uint32_t>(number);
  throw std::invalid_argument("not a format of tensors");
}

GgufWriter& GgufWriter::raw(std::string_view key, std::uint32_t type, std::span<const std::byte> value) {
  keys_.push_back({std::string(key), type, {value.begin(), value.end()}});
  return *this;
}

GgufWriter& GgufWriter::u8(std::string_view key, std::uint8_t value) {
  return raw(key, kU8, bytes_of(value));
}
GgufWriter& GgufWriter::u32(std::string_view key, std::uint32_t value) {
  return raw(key, kU32, bytes_of(value));
}
GgufWriter& GgufWriter::u16(std::string_view key, std::uint16_t value) {
  return raw(key, kU16, bytes_of(value));
}
GgufWriter& GgufWriter::i32(std::string_view key, std::int32_t value) {
  return raw(key, kI32, bytes_of(value));
}
GgufWriter& GgufWriter::u64(std::string_view key, std::uint64_t value) {
  return raw(key, kU64, bytes_of(value));
}
GgufWriter& GgufWriter::f32(std::string_view key, float value) {
  return raw(key, kF32, bytes_of(value));
}

GgufWriter& GgufWriter::boolean(std::string_view key, bool value) {
  return raw(key, kBool, bytes_of<std::uint8_t>(value ? 1 : 0));
}

GgufWriter& GgufWriter::string(std::string_view key, std::string_view value) {
  std::vector<std::byte> out;
  put_string(out, value);
  return raw(key, kString, out);
}

GgufWriter& GgufWriter::strings(std::string_view key, const std::vector<std::string>& values) {
  return raw(key, kArray, array_of(kString, values));
}

GgufWriter& GgufWriter::f32_array(std::string_view key, const std::vector<float>& values) {
  return raw(key, kArray, array_of(kF32, values));
}

GgufWriter& GgufWriter::i32_array(std::string_view key, const std::vector<std::int32_t>& values) {
  return raw(key, kArray, array_of(kI32, values));
}

GgufWriter& GgufWriter::u32_array(std::string_view key, const std::vector<std::uint32_t>& values) {
  return raw(key, kArray, array_of(kU32, values));
}

bool GgufWriter::remove(std::string_view key) {
  return std::erase_if(keys_, [key](const Key& k) { return k.name == key; }) > 0;
}

GgufWriter& GgufWriter::tensor(std::string_view name, const std::vector<std::uint64_t>& shape,
                               std::uint32_t type, std::span<const std::byte> data, std::uint64_t offset) {
  tensors_.push_back({std::string(name), shape, type, {data.begin(), data.end()}, offset});
  return *this;
}

GgufWriter& GgufWriter::tensor(std::string_view name, const std::vector<std::uint64_t>& shape, Format format,
                               std::span<const float> values) {
  const std::uint64_t cols = shape.at(0);
  const std::uint64_t row = row_bytes(format, cols);
  std::vector<std::byte> data(values.size() / cols * row);
  for (std::uint64_t r = 0; r * cols < values.size(); ++r) {
    const auto from = values.subspan(r * cols, cols);
    const auto to = std::span(data).subspan(r * row, row);
    row_of(format).encode != nullptr ? encode_row(format, from, to) : make_blocks(format, from, to);
  }
  return tensor(name, shape, ggml_type_of(format), data);
}

bool GgufWriter::remove_tensor(std::string_view name) {
  return std::erase_if(tensors_, [name](const Tensor& t) { return t.name == name; }) > 0;
}

std::vector<std::byte> GgufWriter::bytes() const {
  std::vector<std::byte> out;
  put_bytes(out, "GGUF", 4);
  put(out, version);
  put<std::uint64_t>(out, tensors_.size());
  put<std::uint64_t>(out, keys_.size());
  for (const Key& key : keys_) {
    put_string(out, key.name);
    put(out, key.type);
    put_bytes(out, key.value.data(), key.value.size());
  }
  std::vector<std::byte> data;
  for (const Tensor& tensor : tensors_) {
    pad(data, alignment);
    put_string(out, tensor.name);
    put<std::uint32_t>(out, static_cast<std::uint32_t>(tensor.shape.size()));
    for (const std::uint64_t size : tensor.shape) put(out, size);
    put(out, tensor.type);
    put<std::uint64_t>(out, tensor.offset == kNextOffset ? data.size() : tensor.offset);
    put_bytes(data, tensor.data.data(), tensor.data.size());
  }
  if (!tensors_.empty()) pad(out, alignment);
  put_bytes(out, data.data(), data.size());
  return out;
}

std::vector<GgufWriter> GgufWriter::parts(std::uint16_t count) const {
  std::vector<GgufWriter> files(count);
  files.front().keys_ = keys_;
  for (std::size_t i = 0; i < count; ++i) {
    const auto place = [&](std::size_t part) {
      return tensors_.begin() + static_cast<std::ptrdiff_t>(tensors_.size() * part / count);
    };
    files[i].tensors_.assign(place(i), place(i + 1));
    files[i].u16("split.no", static_cast<std::uint16_t>(i)).u16("split.count", count);
    files[i].i32("split.tensors.count", static_cast<std::int32_t>(tensors_.size()));
  }
  return files;
}

}  // namespace tokencycle::test
