// SPDX-License-Identifier: Apache-2.0
#include "observe/event.h"

#include <fmt/format.h>

#include <array>

namespace tokencycle::observe {

std::string name_of(UnitId unit) {
  if (is_channel(unit)) return fmt::format("dram.channel{}", static_cast<unsigned>(unit) - kFirstChannel);
  const std::uint32_t n = index_of_kind(unit);
  switch (kind_of(unit)) {
    case UnitId::fetch:
      return "fetch";
    case UnitId::decode:
      return "decode";
    case UnitId::dispatch:
      return "dispatch";
    case UnitId::load:
      return fmt::format("dma{}.read", n);
    case UnitId::store:
      return fmt::format("dma{}.write", n);
    case UnitId::matrix:
      return fmt::format("matrix{}", n);
    case UnitId::vector:
      return fmt::format("vector{}", n);
    case UnitId::writeback:
      break;
  }
  return "writeback";
}

std::string name_of(UnitId unit, std::uint32_t core, std::uint32_t cores) {
  if (cores == 1 || is_channel(unit)) return name_of(unit);
  return fmt::format("core{}.{}", core, name_of(unit));
}

std::string_view name_of(State state) {
  static constexpr std::array<std::string_view, kStates> kNames = {"idle",
                                                                   "busy",
                                                                   "fetch_wait",
                                                                   "buffer_full",
                                                                   "read_after_write",
                                                                   "write_after_read",
                                                                   "write_after_write",
                                                                   "queue_full",
                                                                   "scoreboard_full",
                                                                   "fence",
                                                                   "dram_latency",
                                                                   "row_conflict",
                                                                   "bank_busy",
                                                                   "bus_turnaround",
                                                                   "refresh",
                                                                   "burst_spacing",
                                                                   "scratchpad_conflict",
                                                                   "operand_wait",
                                                                   "array_drain",
                                                                   "writeback_wait",
                                                                   "halted",
                                                                   "port_wait",
                                                                   "semaphore_wait",
                                                                   "word_wait",
                                                                   "format_decode"};
  return kNames[static_cast<std::size_t>(state)];
}

void UnitState::change(State state, Cycle cycle, std::uint64_t value) {
  state_ = state;
  value_ = value;
  hub_.emit({cycle, 0, value, 0, EventKind::unit_state, unit_, static_cast<std::uint8_t>(state), 0});
}

}  // namespace tokencycle::observe
