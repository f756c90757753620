// SPDX-License-Identifier: Apache-2.0
// The units of a core and DRAM's channels, as every output lists them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/machine.h"
#include "observe/event.h"

namespace tokencycle::observe {

// In the order of their kinds, then of their numbers; the channels last.
class UnitList {
 public:
  explicit UnitList(const config::Machine& machine);
  // Of a core with one unit of each kind.
  explicit UnitList(std::uint32_t dram_channels);

  std::size_t size() const { return ids_.size(); }
  std::size_t of_core() const { return of_core_; }  // units before the first channel
  UnitId operator[](std::size_t index) const { return ids_[index]; }
  // Where an id of this machine stands.
  std::size_t index(UnitId unit) const { return index_[static_cast<std::size_t>(unit)]; }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }

 private:
  void add(UnitId unit);

  std::vector<UnitId> ids_;
  std::array<std::uint8_t, 256> index_{};
  std::size_t of_core_ = 0;
};

}  // namespace tokencycle::observe
