// SPDX-License-Identifier: Apache-2.0
// Does reserving cycles ahead grant the same cycles as an arbiter that decides cycle by cycle, oldest first,
// and does reserving a whole run grant the same as reserving its accesses one by one?
#include "memory/scratchpad.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

using Random = std::mt19937;

std::uint32_t number(Random& random, std::uint32_t least, std::uint32_t most) {
  return std::uniform_int_distribution<std::uint32_t>(least, most)(random);
}

struct Access {
  std::uint32_t address, bytes;
  bool write;
  int after;            // index of the access of the burst that it waits for; -1: the burst's beginning
  std::uint64_t delay;  // cycles between that one's grant and this one's first request
};

struct Burst {
  std::uint64_t begin;
  std::vector<Access> accesses;
};

Burst random_burst(Random& random, std::uint64_t begin, std::uint32_t size) {
  Burst burst{begin, {}};
  const std::uint32_t kind = number(random, 0, 2);  // a stream, a read and write pipeline, or a mixture
  const auto accesses = static_cast<int>(number(random, 1, 12));
  for (int n = 0; n < accesses; ++n) {
    Access a;
    a.bytes = number(random, 0, 3) == 0 ? number(random, 1, 100) : number(random, 1, 16);
    a.address = number(random, 0, size - a.bytes);
    a.write = kind == 0 ? false : kind == 1 ? n % 2 == 1 : number(random, 0, 1) == 1;
    a.after = kind == 2 ? static_cast<int>(number(random, 0, static_cast<std::uint32_t>(n))) - 1
                        : n - (kind == 1 && n > 1 ? 2 : 1);
    if (kind == 1 && n % 2 == 1) a.after = n - 1;
    a.delay = a.after < 0 ? number(random, 0, 20) : number(random, a.write && kind == 1 ? 3 : 1, 6);
    burst.accesses.push_back(a);
  }
  return burst;
}

// An arbiter without memory of the future: in each cycle it goes through all waiting accesses, bursts that
// began earlier first, and grants what finds all its banks free.
class CycleByCycle {
 public:
  explicit CycleByCycle(const config::Scratchpad& description) : d_(description) {}

  std::vector<std::vector<std::uint64_t>> run(const std::vector<Burst>& bursts) {
    std::vector<std::vector<std::uint64_t>> granted;
    std::vector<std::vector<std::uint32_t>> words_done;
    std::size_t left = 0;
    for (const Burst& b : bursts) {
      granted.emplace_back(b.accesses.size(), kWaiting);
      words_done.emplace_back(b.accesses.size(), 0);
      left += b.accesses.size();
    }
    for (std::uint64_t now = 0; left > 0; ++now) {
      std::vector<bool> reads(d_.banks), writes(d_.banks);
      for (std::size_t b = 0; b < bursts.size() && bursts[b].begin <= now; ++b) {
        for (std::size_t n = 0; n < bursts[b].accesses.size(); ++n) {
          const Access& a = bursts[b].accesses[n];
          if (granted[b][n] != kWaiting || !requested(bursts[b], granted[b], a, now)) continue;
          std::vector<bool>& port = a.write && d_.separate_write_port ? writes : reads;
          if (!grant(a, words_done[b][n], port)) continue;
          granted[b][n] = now;
          --left;
        }
      }
    }
    return granted;
  }

 private:
  static constexpr std::uint64_t kWaiting = ~std::uint64_t{0};

  static bool requested(const Burst& burst, const std::vector<std::uint64_t>& granted, const Access& a,
                        std::uint64_t now) {
    const std::uint64_t from = a.after < 0 ? burst.begin : granted[static_cast<std::size_t>(a.after)];
    return from != kWaiting && from + a.delay <= now;
  }

  // At most one word of each bank a cycle. True when this was the access's last part.
  bool grant(const Access& a, std::uint32_t& done, std::vector<bool>& port) const {
    const std::uint32_t first = a.address / d_.bank_bytes;
    const std::uint32_t words = (a.address + a.bytes - 1) / d_.bank_bytes - first + 1;
    const std::uint32_t part = std::min(words - done, d_.banks);
    for (std::uint32_t w = 0; w < part; ++w) {
      if (port[(first + done + w) % d_.banks]) return false;
    }
    for (std::uint32_t w = 0; w < part; ++w) port[(first + done + w) % d_.banks] = true;
    done += part;
    return done == words;
  }

  const config::Scratchpad d_;
};

std::uint64_t duration_alone(const config::Scratchpad& d, const Access& a) {
  const std::uint32_t words = (a.address + a.bytes - 1) / d.bank_bytes - a.address / d.bank_bytes + 1;
  return ceil_div(words, d.banks) - 1;
}

AccessRun random_run(Random& random, std::uint64_t now, std::uint32_t size) {
  AccessRun run;
  run.first = Cycle(now + (number(random, 0, 2) == 0 ? number(random, 0, 60) : 0));
  run.count = number(random, 0, 1) == 0 ? number(random, 1, 10) : number(random, 1, 300);
  run.interval = number(random, 0, 1) == 0 ? 1 : number(random, 1, 6);
  run.bytes = number(random, 0, 4) == 0 ? number(random, 1, 200) : number(random, 1, 16);
  run.stride = number(random, 0, 1) == 0 ? number(random, 0, 16) * 16 : number(random, 0, 70);
  const std::uint32_t extent = run.stride * (run.count - 1) + run.bytes;
  run.address = number(random, 0, size - extent);
  return run;
}

// The cycles of a unit that reads in the order of the run, each access the interval behind the one before.
// With `whole` it asks for the run, and alone for each access that finds a bank taken.
std::vector<Cycle> read_run(Scratchpad& scratchpad, std::uint64_t now, AccessRun run, bool whole,
                            std::uint64_t& at_once) {
  std::vector<Cycle> granted;
  while (run.count > 0) {
    const std::uint32_t n = whole ? scratchpad.reserve_run(Port::moving, Cycle(now), run) : 0;
    for (std::uint32_t i = 0; i < n; ++i) granted.push_back(run.first + std::uint64_t{i} * run.interval);
    at_once += n;
    run.first += Cycle(std::uint64_t{n} * run.interval);
    run.address += n * run.stride;
    run.count -= n;
    if (run.count == 0) break;
    granted.push_back(scratchpad.reserve(Port::moving, Cycle(now), run.first, run.address, run.bytes, false));
    run.first = granted.back() + run.interval;
    run.address += run.stride;
    --run.count;
  }
  return granted;
}

}  // namespace

TEST_CASE("reservation by age is what a per-cycle oldest-first arbiter does") {
  Random random(1);
  std::uint64_t conflicts = 0;
  for (int round = 0; round < 1500; ++round) {
    config::Scratchpad d;
    d.banks = 1u << number(random, 0, 6);
    d.bank_bytes = 1u << number(random, 2, 4);
    d.capacity_bytes = 4096;
    d.separate_write_port = round % 2 == 0;
    std::vector<Burst> bursts;
    std::uint64_t now = 0;
    for (std::uint32_t b = 0, count = number(random, 1, 25); b < count; ++b) {
      now += number(random, 0, 3) == 0 ? number(random, 0, 30) : 0;
      bursts.push_back(random_burst(random, now, d.capacity_bytes));
    }
    const auto expected = CycleByCycle(d).run(bursts);

    Scratchpad scratchpad(d);
    std::uint64_t counted = 0, differences = 0, bytes = 0;
    for (std::size_t b = 0; b < bursts.size(); ++b) {
      std::vector<Cycle> granted;
      for (std::size_t n = 0; n < bursts[b].accesses.size(); ++n) {
        const Access& a = bursts[b].accesses[n];
        const Cycle from = a.after < 0 ? Cycle(bursts[b].begin) : granted[static_cast<std::size_t>(a.after)];
        const Cycle at = scratchpad.reserve(Port::vector, Cycle(bursts[b].begin), from + a.delay, a.address,
                                            a.bytes, a.write);
        granted.push_back(at);
        differences += at.value != expected[b][n];
        counted += at.value - (from + a.delay).value - duration_alone(d, a);
        bytes += a.bytes;
      }
    }
    INFO("round " << round << ", " << d.banks << " banks of " << d.bank_bytes << " bytes");
    CHECK(differences == 0);
    CHECK(scratchpad.counters(Port::vector).conflict_cycles == counted);
    CHECK(scratchpad.counters(Port::vector).bytes == bytes);
    conflicts += counted;
  }
  CHECK(conflicts > 1000);
}

TEST_CASE("an access takes a cycle, and one more each time it needs a bank again") {
  config::Scratchpad d{4096, 4, 8, 1, false};
  Scratchpad s(d);
  const auto cycles = [&](std::uint32_t address, std::uint32_t bytes) {
    static std::uint64_t now = 0;
    now += 100;
    return s.reserve(Port::load, Cycle(now), Cycle(now), address, bytes, false).value - now;
  };
  CHECK(cycles(0, 1) == 0);
  CHECK(cycles(0, 32) == 0);  // all four banks
  CHECK(cycles(4, 32) == 1);  // unaligned: the first bank twice
  CHECK(cycles(8, 32) == 0);  // aligned to a bank: banks 1, 2, 3, 0
  CHECK(cycles(0, 64) == 1);
  CHECK(cycles(7, 64) == 2);
  CHECK(s.counters(Port::load).conflict_cycles == 0);
}

TEST_CASE("reads and writes share a bank's port unless there are two") {
  for (const bool separate : {false, true}) {
    Scratchpad s({4096, 4, 8, 1, separate});
    const Cycle now(5);
    CHECK(s.reserve(Port::moving, now, now, 0, 8, false) == now);
    CHECK(s.reserve(Port::load, now, now, 0, 8, true) == (separate ? now : now + 1));
    CHECK(s.reserve(Port::load, now, now, 8, 8, true) == now);  // another bank
    CHECK(s.reserve(Port::store, now, now, 0, 8, false) == (separate ? now + 1 : now + 2));
    CHECK(s.counters(Port::store).conflict_cycles == (separate ? 1 : 2));
    CHECK(s.counters(Port::moving).conflict_cycles == 0);
  }
}

TEST_CASE("reservations far ahead are kept, and cycles that have passed are forgotten") {
  Scratchpad s({4096, 4, 8, 1, false});
  CHECK(s.reserve(Port::vector, Cycle(0), Cycle(100'000), 0, 8, false).value == 100'000);
  CHECK(s.reserve(Port::vector, Cycle(0), Cycle(0), 0, 8, false).value == 0);
  CHECK(s.reserve(Port::load, Cycle(50'000), Cycle(100'000), 0, 8, false).value == 100'001);
  CHECK(s.reserve(Port::load, Cycle(100'000), Cycle(100'000), 0, 8, false).value == 100'002);
  CHECK(s.reserve(Port::load, Cycle(9'000'000'000), Cycle(9'000'000'000), 0, 8, false).value ==
        9'000'000'000);
}

TEST_CASE("a whole run is granted the cycles that its accesses get one by one") {
  Random random(3);
  std::uint64_t at_once = 0, none = 0, accesses = 0, conflicts = 0;
  for (int round = 0; round < 3000; ++round) {
    config::Scratchpad d;
    d.banks = 1u << number(random, 0, 6);
    d.bank_bytes = 1u << number(random, 2, 5);
    d.capacity_bytes = 1u << 17;
    d.separate_write_port = round % 2 == 0;
    INFO("round " << round << ", " << d.banks << " banks of " << d.bank_bytes << " bytes");
    Scratchpad by_run(d), one_by_one(d);
    std::uint64_t now = 0, differences = 0;
    for (std::uint32_t b = 0, count = number(random, 1, 30); b < count; ++b) {
      now += number(random, 0, 2) == 0 ? number(random, 0, 150) : number(random, 0, 3);
      if (number(random, 0, 1) == 0) {  // others take single cycles meanwhile
        const std::uint32_t bytes = number(random, 1, 70),
                            address = number(random, 0, d.capacity_bytes - bytes);
        const bool write = number(random, 0, 1) == 0;
        const Cycle from(now + number(random, 0, 9));
        differences += by_run.reserve(Port::load, Cycle(now), from, address, bytes, write) !=
                       one_by_one.reserve(Port::load, Cycle(now), from, address, bytes, write);
        continue;
      }
      const AccessRun run = random_run(random, now, d.capacity_bytes);
      const std::vector<Cycle> fast = read_run(by_run, now, run, true, at_once);
      differences += fast != read_run(one_by_one, now, run, false, none);
      accesses += run.count;
    }
    CHECK(differences == 0);
    for (const Port port : {Port::moving, Port::load}) {
      const PortCounters &a = by_run.counters(port), &b = one_by_one.counters(port);
      CHECK(a.accesses == b.accesses);
      CHECK(a.bytes == b.bytes);
      CHECK(a.conflict_cycles == b.conflict_cycles);
      conflicts += a.conflict_cycles;
    }
  }
  CHECK(none == 0);
  CHECK(at_once > accesses / 4);
  CHECK(at_once < accesses);
  CHECK(conflicts > 10'000);
}
