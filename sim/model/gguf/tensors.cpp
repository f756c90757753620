// SPDX-License-Identifier: Apache-2.0
// The tensor directory: names, shapes, types, and that the data lies in the file without overlap.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/quantity.h"
#include "model/gguf/limits.h"
#include "model/gguf/parse.h"
#include "model/gguf/types.h"

namespace tokencycle::model {
namespace {

struct Entry {
  GgufTensor tensor;
  std::uint64_t at = 0;         // of the entry in the file
  std::uint64_t offset_at = 0;  // of the field that holds its offset
};

// a * b, or refusal where it does not fit in 63 bits.
std::uint64_t checked_product(const GgufReader& reader, std::uint64_t a, std::uint64_t b,
                              const Entry& entry) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product) || product > (std::uint64_t{1} << 63)) {
    reader.fail(entry.at,
                fmt::format("the shape of tensor {} multiplies to more than 2^63; the file may be damaged",
                            in_quotes(entry.tensor.name)));
  }
  return product;
}

void read_shape(GgufReader& reader, Entry& entry) {
  const std::uint64_t at = reader.offset();
  const auto dimensions = reader.read<std::uint32_t>("the number of dimensions");
  if (dimensions < 1 || dimensions > kMaxDimensions) {
    reader.fail(at,
                fmt::format("tensor {} has {} dimensions, but should have 1 to {}; the file may be damaged",
                            in_quotes(entry.tensor.name), dimensions, kMaxDimensions));
  }
  std::uint64_t elements = 1;
  for (std::uint32_t d = 0; d < dimensions; ++d) {
    const std::uint64_t size_at = reader.offset();
    const auto size = reader.read<std::uint64_t>("a dimension");
    if (size == 0) {
      reader.fail(size_at,
                  fmt::format("dimension {} of tensor {} is 0, but should be at least 1; convert the "
                              "model again",
                              d, in_quotes(entry.tensor.name)));
    }
    elements = checked_product(reader, elements, size, entry);
    entry.tensor.shape.push_back(size);
  }
}

void read_type(GgufReader& reader, Entry& entry) {
  GgufTensor& tensor = entry.tensor;
  const std::uint64_t at = reader.offset();
  const auto id = reader.read<std::uint32_t>("the type of a tensor");
  const GgmlType* type = find_ggml_type(id);
  if (type == nullptr) {
    reader.fail(
        at, fmt::format("tensor {} has type number {}, which is unknown; the file may be damaged or newer "
                        "than this program: convert it to one of {}",
                        in_quotes(tensor.name), id, supported_types()));
  }
  tensor.type_name = type->name;
  tensor.supported = type->format().has_value() && kModelFormats.has(*type->format());
  if (tensor.supported) tensor.format = *type->format();
  if (tensor.shape[0] % type->block_elements != 0) {
    reader.fail(at,
                fmt::format("rows of tensor {} have {} values, but {} stores blocks of {}: the row must be a "
                            "multiple of it; convert the model again",
                            in_quotes(tensor.name), tensor.shape[0], type->name, type->block_elements));
  }
  tensor.bytes = checked_product(reader, tensor.elements() / type->block_elements, type->block_bytes, entry);
}

Entry read_entry(GgufReader& reader, std::uint64_t alignment) {
  Entry entry;
  GgufTensor& tensor = entry.tensor;
  entry.at = reader.offset();
  tensor.name = reader.read_string(kMaxTensorNameLength, "the name of a tensor");
  if (tensor.name.empty()) reader.fail(entry.at, "a tensor has no name; convert the model again");
  read_shape(reader, entry);
  read_type(reader, entry);
  entry.offset_at = reader.offset();
  tensor.file_offset = reader.read<std::uint64_t>(
      "the offset of a tensor");  // in the data section; its place in the file is added below
  if (tensor.file_offset % alignment != 0) {
    reader.fail(entry.offset_at,
                fmt::format("tensor {} starts at offset {}, which is no multiple of the alignment "
                            "{}; the file may be damaged",
                            in_quotes(tensor.name), tensor.file_offset, alignment));
  }
  return entry;
}

// Makes offsets those of the file; the bytes need not be there.
void place_absent(const GgufReader& reader, std::uint64_t data_start, Entry& entry) {
  GgufTensor& tensor = entry.tensor;
  if (tensor.file_offset > kMaxDataBytes || tensor.bytes > kMaxDataBytes - tensor.file_offset) {
    reader.fail(
        entry.offset_at,
        fmt::format("tensor {} takes {} bytes from offset {} of the data section, beyond the {} that are "
                    "read; the file may be damaged",
                    in_quotes(tensor.name), tensor.bytes, tensor.file_offset, kMaxDataBytes));
  }
  tensor.file_offset += data_start;
}

// Makes offsets those of the file and binds the bytes.
void place(const GgufReader& reader, std::span<const std::byte> bytes, std::uint64_t data_start,
           Entry& entry) {
  GgufTensor& tensor = entry.tensor;
  const std::uint64_t available = bytes.size() - data_start;
  if (tensor.file_offset > available || tensor.bytes > available - tensor.file_offset) {
    reader.fail(
        entry.offset_at,
        fmt::format(
            "tensor {} takes {} bytes from offset {} of the data section, which has only {}; the file "
            "may be truncated: download or convert it again",
            in_quotes(tensor.name), tensor.bytes, tensor.file_offset, available));
  }
  tensor.file_offset += data_start;
  tensor.data = bytes.subspan(tensor.file_offset, tensor.bytes);
}

void check_overlap(const GgufReader& reader, const std::vector<Entry>& entries) {
  std::vector<const Entry*> order;
  order.reserve(entries.size());
  for (const Entry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return a->tensor.file_offset < b->tensor.file_offset; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const GgufTensor& before = order[i - 1]->tensor;
    const GgufTensor& after = order[i]->tensor;
    if (before.file_offset + before.bytes > after.file_offset) {
      reader.fail(
          order[i]->offset_at,
          fmt::format(
              "tensor {} starts at byte {}, inside tensor {} (bytes {} to {}); the file may be damaged",
              in_quotes(after.name), after.file_offset, in_quotes(before.name), before.file_offset,
              before.file_offset + before.bytes - 1));
    }
  }
}

}  // namespace

void read_gguf_tensors(GgufReader& reader, std::span<const std::byte> bytes, std::uint64_t count,
                       std::uint64_t alignment, TensorData data, GgufContents& contents) {
  std::vector<Entry> entries;
  entries.reserve(count);
  std::unordered_map<std::string, std::uint64_t> seen;  // name to the offset of its entry
  for (std::uint64_t i = 0; i < count; ++i) {
    entries.push_back(read_entry(reader, alignment));
    const auto [first, fresh] = seen.emplace(entries.back().tensor.name, entries.back().at);
    if (!fresh) {
      reader.fail(entries.back().at,
                  fmt::format("tensor {} appears twice, first at byte {}; convert the model again",
                              in_quotes(first->first), first->second));
    }
  }
  contents.directory_end = reader.offset();
  contents.data_start = round_up(contents.directory_end, alignment);
  if (data == TensorData::absent) {
    for (Entry& entry : entries) place_absent(reader, contents.data_start, entry);
  } else {
    // A file without tensors may end before the aligned start of the data section.
    contents.data_start = std::min<std::uint64_t>(contents.data_start, bytes.size());
    for (Entry& entry : entries) place(reader, bytes, contents.data_start, entry);
  }
  check_overlap(reader, entries);
  contents.tensors.reserve(count);
  for (Entry& entry : entries) contents.tensors.push_back(std::move(entry.tensor));
}

}  // namespace tokencycle::model
