// SPDX-License-Identifier: Apache-2.0
// What a class says about its state, so that a run can be written to a file and go on in another process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ios>
#include <span>
#include <vector>

namespace cereal {
class BinaryOutputArchive;
class BinaryInputArchive;
}  // namespace cereal

namespace tokencycle {

// A class with state has a `template <class Archive> void serialize(Archive& state)` that hands all of it,
// in a fixed order, to either of these; what its constructor sets from configuration alone is left out. They
// are complete in base/state_archives.h.
using StateWriter = cereal::BinaryOutputArchive;
using StateReader = cereal::BinaryInputArchive;

// Memory contents as they are.
template <class Archive>
void serialize_bytes(Archive& state, std::span<std::byte> bytes) {
  if constexpr (Archive::is_loading::value) {
    state.loadBinary(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  } else {
    state.saveBinary(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
}

// The same with their number, which may be another one when they are read.
template <class Archive>
void serialize_bytes(Archive& state, std::vector<std::byte>& bytes) {
  std::uint64_t size = bytes.size();  // NOLINT(misc-const-correctness): a reader changes it
  state(size);
  bytes.resize(size);
  serialize_bytes(state, std::span(bytes));
}

}  // namespace tokencycle
