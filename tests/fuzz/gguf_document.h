// SPDX-License-Identifier: Apache-2.0
// A GGUF file as parts that can be changed into unsound ones and written again.
#pragma once

#include <optional>

#include "fuzz/target.h"

namespace tokencycle::fuzz {

struct GgufDocument {
  struct Key {
    std::string name;
    std::uint32_t type = 0;
    Bytes value;  // as in the file, of arrays with element type and count
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
  };
  std::uint32_t version = 3;
  std::vector<Key> keys;
  std::vector<Tensor> tensors;
  Bytes data;  // from the aligned start of the data section on
  std::optional<std::uint64_t> keys_said,
      tensors_said;  // the counts that the file gives, where they are lies
};

// The parts of a file whose directory is sound as far as lengths go; nothing for others.
std::optional<GgufDocument> parse_document(Input input);
Bytes write_document(const GgufDocument& document);

// One change of what a hostile writer would think of: counts, offsets, shapes, types, alignment, lengths,
// missing and repeated keys and tensors, tables of the wrong length, numbers that are none.
void change_document(GgufDocument& document, Random& random);

// A few changes to the parts, or to the bytes where there are none.
Bytes mutate_gguf(Input input, Random& random);

}  // namespace tokencycle::fuzz
