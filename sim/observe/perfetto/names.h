// SPDX-License-Identifier: Apache-2.0
// The names in a Perfetto trace. A packet refers to a name by a number; the text goes into the file once a
// track.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "isa/instruction.h"
#include "observe/event.h"

namespace tokencycle::observe {

// The same number stands for the same text in the whole file. Number 0: the text is spelled out each time.
struct PerfettoName {
  std::uint32_t iid = 0;
  std::string_view text;
};

// What is said of a slice beside its name.
enum class PerfettoKey : std::uint8_t {
  pc = 1,  // word index
  sequence,
  operator_name,
  waits_for,  // a stalled decode: the unit in the way
  layer,
  instructions,
  tokens,
  phase,
};
std::string_view name_of(PerfettoKey key);

// A key with a number, or with a name where that has a text.
struct PerfettoAnnotation {
  PerfettoKey key = PerfettoKey::pc;
  std::uint64_t number = 0;
  PerfettoName name;
};

inline constexpr std::uint32_t kFirstStateName = 1;
inline constexpr std::uint32_t kFirstOpcodeName = kFirstStateName + kStates;
inline constexpr std::uint32_t kFirstUnitName = kFirstOpcodeName + isa::kOpcodeCodes;  // isa::Unit
inline constexpr std::uint32_t kFirstFreeName = kFirstUnitName + isa::kUnits;

PerfettoName perfetto_name(State state);
PerfettoName perfetto_name(isa::Opcode op);
// As name_of(UnitId): "dma0.read".
PerfettoName perfetto_name(isa::Unit unit);

// Numbers for the names that the programs bring along: as many as a model has operators and layers.
class PerfettoNames {
 public:
  PerfettoName of(const std::string& text);

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

}  // namespace tokencycle::observe
