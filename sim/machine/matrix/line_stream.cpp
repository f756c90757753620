// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/line_stream.h"

#include <algorithm>

namespace tokencycle::machine {

StreamTiming reserve_lines(memory::Scratchpad& scratchpad, memory::Port port, std::uint32_t port_bytes,
                           Cycle now, Cycle earliest, const LineStream& stream) {
  LineStream s = stream;
  // One long line, unless its accesses would be fewer than its lines: a line takes a cycle at least.
  if (s.stride == s.line_bytes && s.interval == 1 && s.line_bytes >= port_bytes * s.decode) {
    s.line_bytes *= s.lines;
    s.lines = 1;
    s.decode = 1;  // the port is what limits
  }
  StreamTiming timing{earliest, earliest, 0};
  for (std::uint32_t line = 0; line < s.lines; ++line) {
    const Cycle begin = timing.next;
    std::uint64_t beats = 0;
    Cycle at = begin;
    for (std::uint32_t done = 0; done < s.line_bytes; done += port_bytes, ++beats) {
      const std::uint32_t bytes = std::min(port_bytes, s.line_bytes - done);
      const Cycle granted =
          scratchpad.reserve(port, now, at, s.address + line * s.stride + done, bytes, false);
      timing.delayed += granted.value - at.value;
      timing.last = granted;
      at = granted + 1;
    }
    const std::uint64_t delay = at.value - begin.value - beats;
    const std::uint64_t plain = std::max(beats, s.interval), held = std::max(plain, s.decode);
    const std::uint64_t longer = std::max(beats, s.decode) - beats;
    timing.last = timing.last + longer;
    timing.decode_last = timing.decode_next + longer;
    timing.decode_next += held - plain;
    timing.next = begin + (held + delay);
  }
  return timing;
}

}  // namespace tokencycle::machine
