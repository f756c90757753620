// SPDX-License-Identifier: Apache-2.0
// A unit's run of scratchpad accesses, line by line, through one port.
#pragma once

#include <cstdint>

#include "memory/scratchpad.h"

namespace tokencycle::machine {

struct LineStream {
  std::uint32_t address = 0, stride = 0;  // bytes
  std::uint32_t lines = 0, line_bytes = 0;
  std::uint64_t interval = 1;  // least cycles between the beginnings of two lines
  std::uint64_t decode = 1;    // cycles that a line occupies the stage behind the port
};

struct StreamTiming {
  Cycle last;  // grant of the last access, or the cycle in which the stage takes the last numbers
  Cycle next;  // when a following line could begin
  std::uint64_t delayed = 0;                       // cycles lost to bank conflicts
  std::uint64_t decode_last = 0, decode_next = 0;  // cycles by which the stage delays them
};

// Reserves the reads of all lines from `earliest` on; a line wider than the port takes several cycles.
StreamTiming reserve_lines(memory::Scratchpad& scratchpad, memory::Port port, std::uint32_t port_bytes,
                           Cycle now, Cycle earliest, const LineStream& stream);

}  // namespace tokencycle::machine
