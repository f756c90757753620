// SPDX-License-Identifier: Apache-2.0
#include "observe/unit_list.h"

namespace tokencycle::observe {

UnitList::UnitList(const config::Machine& machine) {
  const auto count_of = [&machine](UnitId kind) -> std::uint32_t {
    switch (kind) {
      case UnitId::load:
      case UnitId::store:
        return machine.dma.engines;
      case UnitId::matrix:
        return machine.matrix.units;
      case UnitId::vector:
        return machine.vector.units;
      default:
        return 1;
    }
  };
  for (std::uint8_t kind = 0; kind < kFirstChannel; ++kind) {
    const auto first = static_cast<UnitId>(kind);
    for (std::uint32_t n = 0; n < count_of(first); ++n) add(nth(first, n));
  }
  of_core_ = ids_.size();
  for (std::uint32_t i = 0; i < machine.dram.channels; ++i) add(channel_id(i));
}

UnitList::UnitList(std::uint32_t dram_channels) : of_core_(kFirstChannel) {
  for (std::uint8_t kind = 0; kind < kFirstChannel; ++kind) add(static_cast<UnitId>(kind));
  for (std::uint32_t i = 0; i < dram_channels; ++i) add(channel_id(i));
}

void UnitList::add(UnitId unit) {
  index_[static_cast<std::size_t>(unit)] = static_cast<std::uint8_t>(ids_.size());
  ids_.push_back(unit);
}

}  // namespace tokencycle::observe
