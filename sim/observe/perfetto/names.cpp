// SPDX-License-Identifier: Apache-2.0
#include "observe/perfetto/names.h"

#include <array>

namespace tokencycle::observe {

std::string_view name_of(PerfettoKey key) {
  static constexpr std::array<std::string_view, 9> kNames = {
      "", "pc", "sequence", "operator", "waits_for", "layer", "instructions", "tokens", "phase"};
  return kNames[static_cast<std::size_t>(key)];
}

PerfettoName perfetto_name(State state) {
  return {kFirstStateName + static_cast<std::uint32_t>(state), name_of(state)};
}

PerfettoName perfetto_name(isa::Opcode op) {
  return {kFirstOpcodeName + static_cast<std::uint32_t>(op), isa::name_of(op)};
}

PerfettoName perfetto_name(isa::Unit unit) {
  static const std::array<std::string, isa::kUnits> kNames = [] {
    std::array<std::string, isa::kUnits> names;
    for (int u = 0; u < isa::kUnits; ++u) names[u] = name_of(unit_id(static_cast<isa::Unit>(u)));
    return names;
  }();
  return {kFirstUnitName + static_cast<std::uint32_t>(unit), kNames[static_cast<std::size_t>(unit)]};
}

PerfettoName PerfettoNames::of(const std::string& text) {
  const auto next = kFirstFreeName + static_cast<std::uint32_t>(numbers_.size());
  const auto [entry, added] = numbers_.try_emplace(text, next);
  return {entry->second, entry->first};
}

}  // namespace tokencycle::observe
