// SPDX-License-Identifier: Apache-2.0
// GGUF files (versions 2 and 3), memory-mapped and checked: metadata and tensor directory.
// Source of the format: github.com/ggml-org/ggml, docs/gguf.md. The file is hostile until proven otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "numerics/format.h"

namespace tokencycle::model {

struct GgufArray;
// One metadata value: unsigned and signed integers widen to 64 bits, f32 and f64 to double.
using GgufValue = std::variant<std::uint64_t, std::int64_t, double, bool, std::string, GgufArray>;
struct GgufArray {
  // Exactly one is filled, by the element type of the file. Arrays of arrays are refused.
  std::vector<std::uint64_t> unsigned_values;
  std::vector<std::int64_t> signed_values;
  std::vector<double> float_values;
  std::vector<bool> bool_values;
  std::vector<std::string> strings;
  std::size_t size() const;
};

// Whether a file must hold its tensors' bytes. Absent: the directory alone counts; a file may end anywhere
// behind it, and no tensor has data even where the file continues.
enum class TensorData : std::uint8_t { present, absent };

struct GgufContents;

// A stretch of the data section that is contiguous in memory.
struct GgufPiece {
  std::uint64_t offset;  // in the data section
  std::span<const std::byte> bytes;
};

struct GgufTensor {
  std::string name;
  std::vector<std::uint64_t>
      shape;                    // ggml order: shape[0] is the contiguous dimension (k), shape[1] rows (n)
  Format format = Format::f32;  // a type that is not supported is refused only when the tensor is used
  std::string type_name;        // the file's type, "Q4_K", also when not supported
  bool supported = false;
  std::uint64_t file_offset = 0;  // of the first byte
  std::uint64_t bytes = 0;
  std::span<const std::byte> data;  // the mapped bytes; empty when tensor data is absent
  std::uint64_t elements() const;
  std::uint64_t row_elements() const { return shape.empty() ? 1 : shape[0]; }
  std::uint64_t rows() const { return elements() / row_elements(); }
};

class GgufFile {
 public:
  // Maps and checks the file, and with the first part of a split model the other parts beside it. Throws
  // IoError when it cannot be read, ModelError (file, byte offset, value, what to do) when it is not a sound
  // GGUF, is a later part, or a part is missing.
  explicit GgufFile(const std::filesystem::path& path, TensorData data = TensorData::present);
  // A model that is described by another kind of file: `contents` instead of a directory, `bytes` for the
  // digest. Tensor data is absent.
  GgufFile(const std::filesystem::path& path, GgufContents contents, std::vector<std::byte> bytes);
  ~GgufFile();
  GgufFile(GgufFile&&) noexcept;

  const std::filesystem::path& path() const;
  std::uint32_t version() const;  // 0: described by another kind of file
  const std::vector<std::pair<std::string, GgufValue>>& metadata() const;  // in file order
  const std::vector<GgufTensor>& tensors() const;                          // in file order
  std::span<const std::byte> bytes() const;  // the whole mapped file; of a split model the first part
  std::size_t parts() const;                 // files that the model is in
  std::uint64_t file_bytes() const;          // of all of them
  TensorData data() const;
  std::uint64_t data_start() const;  // byte of the file at which the data section begins, aligned
  std::uint64_t data_bytes()
      const;  // from there to the end of the last tensor, whether the file has them or not
  // Those bytes, of a model in one file; empty when tensor data is absent.
  std::span<const std::byte> tensor_data() const;
  // The same for any model, in ascending order: a split model's parts, each behind the one before.
  const std::vector<GgufPiece>& data_pieces() const;
  // Of the whole file, or of what stands before the data section when tensor data is absent; computed on
  // first use.
  const std::string& digest() const;

  const GgufTensor* find_tensor(std::string_view name) const;  // nullptr when absent
  const GgufValue* find(std::string_view key) const;           // nullptr when absent

  // Typed access. require_* throw ModelError naming file, key, expected type; get_* return nullopt when the
  // key is absent and throw when its type is wrong. Any integer width and signedness is accepted when it
  // fits.
  std::uint64_t require_unsigned(std::string_view key) const;
  std::optional<std::uint64_t> get_unsigned(std::string_view key) const;
  std::optional<double> get_float(std::string_view key) const;
  std::optional<bool> get_bool(std::string_view key) const;
  std::optional<std::string> get_string(std::string_view key) const;
  const GgufArray* get_array(std::string_view key) const;  // nullptr when absent

  // Throws ModelError when the file has become shorter since it was opened, so that bytes of it may have been
  // read as zeros. Readers of tensors ask before they report what they made of them.
  void check_whole() const;
  // A ModelError that begins with this file's name; that of check_whole(), where it has one.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokencycle::model
