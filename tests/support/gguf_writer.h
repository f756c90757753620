// SPDX-License-Identifier: Apache-2.0
// Writes GGUF files for tests: sound ones by default, any kind of unsound one on request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "numerics/format.h"

namespace tokencycle::test {

// A path in the temporary folder that is removed with the object. The file may be removed while it is mapped.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view suffix = ".gguf");
  TemporaryFile(std::span<const std::byte> contents, std::string_view suffix = ".gguf");
  ~TemporaryFile();
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(std::span<const std::byte> contents) const;

 private:
  std::filesystem::path path_;
};

class GgufWriter {
 public:
  // Metadata, in the order of the calls; the type in the file is the one in the name.
  GgufWriter& u8(std::string_view key, std::uint8_t value);
  GgufWriter& u16(std::string_view key, std::uint16_t value);
  GgufWriter& u32(std::string_view key, std::uint32_t value);
  GgufWriter& i32(std::string_view key, std::int32_t value);
  GgufWriter& u64(std::string_view key, std::uint64_t value);
  GgufWriter& f32(std::string_view key, float value);
  GgufWriter& boolean(std::string_view key, bool value);
  GgufWriter& string(std::string_view key, std::string_view value);
  GgufWriter& strings(std::string_view key, const std::vector<std::string>& values);
  GgufWriter& f32_array(std::string_view key, const std::vector<float>& values);
  GgufWriter& i32_array(std::string_view key, const std::vector<std::int32_t>& values);
  GgufWriter& u32_array(std::string_view key, const std::vector<std::uint32_t>& values);
  // A value of any type number, given as its bytes.
  GgufWriter& raw(std::string_view key, std::uint32_t type, std::span<const std::byte> value);
  // Removes a key (all of that name); false when there was none.
  bool remove(std::string_view key);

  // A tensor of ggml type number `type`; shape in ggml's order (row length first). It is placed at the next
  // aligned offset, or at `offset` of the data section where that is given (kNextOffset: the next).
  static constexpr std::uint64_t kNextOffset = ~std::uint64_t{0};
  GgufWriter& tensor(std::string_view name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                     std::span<const std::byte> data, std::uint64_t offset = kNextOffset);
  // `values` encoded as `format`, row by row.
  GgufWriter& tensor(std::string_view name, const std::vector<std::uint64_t>& shape, Format format,
                     std::span<const float> values);
  bool remove_tensor(std::string_view name);

  std::uint32_t version = 3;
  std::uint64_t alignment = 32;  // of the layout; write general.alignment yourself where it should say so

  std::vector<std::byte> bytes() const;

  // The file cut into `count`, as gguf-split does: all keys in the first, about as many tensors in each, and
  // the keys split.no, split.count and split.tensors.count in all.
  std::vector<GgufWriter> parts(std::uint16_t count) const;

 private:
  struct Key {
    std::string name;
    std::uint32_t type;
    std::vector<std::byte> value;
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::uint32_t type;
    std::vector<std::byte> data;
    std::uint64_t offset;
  };
  std::vector<Key> keys_;
  std::vector<Tensor> tensors_;
};

// The type number of a format in GGUF files.
std::uint32_t ggml_type_of(Format format);

}  // namespace tokencycle::test
