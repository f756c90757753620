// SPDX-License-Identifier: Apache-2.0
#include "machine/matrix/line_stream.h"

#include <algorithm>

namespace tokencycle::machine {

namespace {

class Reader {
 public:
  Reader(memory::Scratchpad& scratchpad, memory::Port port, std::uint32_t port_bytes, Cycle now,
         Cycle earliest, const LineStream& stream)
      : scratchpad_(scratchpad), port_(port), port_bytes_(port_bytes), now_(now), s_(stream) {
    timing_.last = timing_.next = earliest;
  }

  StreamTiming read() {
    for (std::uint32_t line = 0; line < s_.lines;) {
      const std::uint32_t undisturbed = read_undisturbed(line);
      if (undisturbed == 0) read_line(line);
      line += std::max(undisturbed, 1u);
    }
    return timing_;
  }

 private:
  // As many lines of one access as get their cycles, which are then known without looking at each.
  std::uint32_t read_undisturbed(std::uint32_t line) {
    if (s_.line_bytes > port_bytes_) return 0;
    const std::uint64_t plain = s_.interval, held = std::max(plain, s_.decode);
    const std::uint32_t lines =
        scratchpad_.reserve_run(port_, now_,
                                {timing_.next, s_.lines - line, static_cast<std::uint32_t>(held),
                                 s_.address + line * s_.stride, s_.stride, s_.line_bytes});
    if (lines == 0) return 0;
    const std::uint64_t before = lines - 1, longer = s_.decode - 1;
    timing_.last = timing_.next + (before * held + longer);
    timing_.next = timing_.next + lines * held;
    timing_.decode_last = timing_.decode_next + before * (held - plain) + longer;
    timing_.decode_next += lines * (held - plain);
    return lines;
  }

  void read_line(std::uint32_t line) {
    const Cycle begin = timing_.next;
    Cycle at = begin;
    for (std::uint32_t done = 0; done < s_.line_bytes;) {
      const std::uint32_t address = s_.address + line * s_.stride + done;
      const std::uint32_t whole = (s_.line_bytes - done) / port_bytes_;
      const std::uint32_t beats =
          whole < 2 ? 0
                    : scratchpad_.reserve_run(port_, now_, {at, whole, 1, address, port_bytes_, port_bytes_});
      if (beats > 0) {
        at = at + beats;
        done += beats * port_bytes_;
        continue;
      }
      const std::uint32_t bytes = std::min(port_bytes_, s_.line_bytes - done);
      const Cycle granted = scratchpad_.reserve(port_, now_, at, address, bytes, false);
      timing_.delayed += granted.value - at.value;
      at = granted + 1;
      done += bytes;
    }
    const std::uint64_t beats = ceil_div(s_.line_bytes, port_bytes_);
    const std::uint64_t delay = at.value - begin.value - beats;
    const std::uint64_t plain = std::max(beats, s_.interval), held = std::max(plain, s_.decode);
    const std::uint64_t longer = std::max(beats, s_.decode) - beats;
    timing_.last = at - 1 + longer;
    timing_.decode_last = timing_.decode_next + longer;
    timing_.decode_next += held - plain;
    timing_.next = begin + (held + delay);
  }

  memory::Scratchpad& scratchpad_;
  const memory::Port port_;
  const std::uint32_t port_bytes_;
  const Cycle now_;
  const LineStream& s_;
  StreamTiming timing_;
};

}  // namespace

StreamTiming reserve_lines(memory::Scratchpad& scratchpad, memory::Port port, std::uint32_t port_bytes,
                           Cycle now, Cycle earliest, const LineStream& stream) {
  LineStream s = stream;
  // One long line, unless its accesses would be fewer than its lines: a line takes a cycle at least.
  if (s.stride == s.line_bytes && s.interval == 1 && s.line_bytes >= port_bytes * s.decode) {
    s.line_bytes *= s.lines;
    s.lines = 1;
    s.decode = 1;  // the port is what limits
  }
  return Reader(scratchpad, port, port_bytes, now, earliest, s).read();
}

}  // namespace tokencycle::machine
