// SPDX-License-Identifier: Apache-2.0
// From the bytes of a GGUF file to its metadata and tensor directory; private to GgufFile.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/gguf/gguf.h"
#include "model/gguf/reader.h"

namespace tokencycle::model {

struct GgufContents {
  std::uint32_t version = 0;
  std::vector<std::pair<std::string, GgufValue>> metadata;  // file order
  std::vector<GgufTensor> tensors;                          // file order; data points into the bytes
  std::uint64_t directory_end = 0;                          // bytes of header, metadata and directory
  std::uint64_t data_start = 0;  // aligned; where tensor data is present, at most the size of the file
};

// Parses and checks everything except what a model needs. `file` is the name in messages. Time and memory
// grow with the metadata and the directory, not with the tensors. Throws ModelError.
GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& file, TensorData data);

// One value of type `type` (a number of the file). `elements_left` counts down over all arrays of a file.
GgufValue read_gguf_value(GgufReader& reader, std::uint32_t type, std::uint64_t& elements_left);

// The tensor directory at the reader's position, `count` entries, and where the data section starts.
// `alignment` is the file's general.alignment, checked.
void read_gguf_tensors(GgufReader& reader, std::span<const std::byte> bytes, std::uint64_t count,
                       std::uint64_t alignment, TensorData data, GgufContents& contents);

}  // namespace tokencycle::model
