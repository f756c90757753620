// SPDX-License-Identifier: Apache-2.0
// Are the lines of a stream granted the cycles, and charged the delays, that they get access by access?
#include "machine/matrix/line_stream.h"

#include <catch2/catch.hpp>
#include <random>

using namespace tokencycle;
using namespace tokencycle::machine;

namespace {

using Random = std::mt19937;

std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}

// What reserve_lines() says it does, one access after the other.
StreamTiming access_by_access(memory::Scratchpad& scratchpad, std::uint32_t port_bytes, Cycle now,
                              Cycle earliest, LineStream s) {
  if (s.stride == s.line_bytes && s.interval == 1 && s.line_bytes >= port_bytes * s.decode) {
    s.line_bytes *= s.lines;
    s.lines = 1;
    s.decode = 1;
  }
  StreamTiming timing{earliest, earliest, 0};
  for (std::uint32_t line = 0; line < s.lines; ++line) {
    const Cycle begin = timing.next;
    std::uint64_t beats = 0;
    Cycle at = begin;
    for (std::uint32_t done = 0; done < s.line_bytes; done += port_bytes, ++beats) {
      const std::uint32_t bytes = std::min(port_bytes, s.line_bytes - done);
      const Cycle granted =
          scratchpad.reserve(memory::Port::moving, now, at, s.address + line * s.stride + done, bytes, false);
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

LineStream random_stream(Random& random, std::uint32_t size) {
  LineStream s;
  s.lines = number(random, 1, 2) == 1 ? number(random, 1, 8) : number(random, 1, 200);
  s.line_bytes = number(random, 1, 100);
  s.stride = number(random, 0, 2) == 0 ? s.line_bytes : s.line_bytes + number(random, 0, 6) * 16;
  s.interval = number(random, 0, 1) == 0 ? 1 : number(random, 1, 4);
  s.decode = number(random, 0, 2) == 0 ? number(random, 1, 6) : 1;
  s.address = number(random, 0, size - (s.stride * (s.lines - 1) + s.line_bytes));
  return s;
}

}  // namespace

TEST_CASE("streams of lines take the cycles of their accesses") {
  Random random(5);
  std::uint64_t delayed = 0, decoded = 0;
  for (int round = 0; round < 2000; ++round) {
    config::Scratchpad d;
    d.banks = 1u << number(random, 0, 6);
    d.bank_bytes = 1u << number(random, 2, 5);
    d.capacity_bytes = 1u << 16;
    d.separate_write_port = round % 2 == 0;
    memory::Scratchpad in_runs(d), single(d);
    const std::uint32_t port_bytes = 8u << number(random, 0, 3);
    std::uint64_t now = 0;
    for (std::uint32_t n = number(random, 1, 20); n > 0; --n) {
      now += number(random, 0, 1) == 0 ? number(random, 0, 200) : 0;
      const Cycle earliest(now + number(random, 0, 1) * number(random, 0, 40));
      const LineStream s = random_stream(random, d.capacity_bytes);
      INFO("round " << round << ": " << s.lines << " lines of " << s.line_bytes << " bytes, " << s.stride
                    << " apart, interval " << s.interval << ", decode " << s.decode << ", port "
                    << port_bytes);
      const StreamTiming a =
          reserve_lines(in_runs, memory::Port::moving, port_bytes, Cycle(now), earliest, s);
      const StreamTiming b = access_by_access(single, port_bytes, Cycle(now), earliest, s);
      REQUIRE(a.last.value == b.last.value);
      REQUIRE(a.next.value == b.next.value);
      REQUIRE(a.delayed == b.delayed);
      REQUIRE(a.decode_last == b.decode_last);
      REQUIRE(a.decode_next == b.decode_next);
      delayed += a.delayed;
      decoded += a.decode_next;
    }
    CHECK(in_runs.counters(memory::Port::moving).accesses == single.counters(memory::Port::moving).accesses);
    CHECK(in_runs.counters(memory::Port::moving).bytes == single.counters(memory::Port::moving).bytes);
  }
  CHECK(delayed > 10'000);
  CHECK(decoded > 10'000);
}
