// SPDX-License-Identifier: Apache-2.0
// Stack IDs of HBM3: do reads of another stack ID keep their distance, and no others one that they need not?
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "memory/dram/address_map.h"
#include "memory/dram_reference.h"
#include "support/command_memory.h"

using namespace tokencycle;
using namespace tokencycle::test;
using config::DramCommand;
using config::DramConstraint;
using config::DramLevel;
using memory::Clock;

namespace {

// The node of a level that a bank is in, by the order of the banks.
std::uint32_t node(const config::DramDevice& d, DramLevel level, std::uint32_t bank) {
  switch (level) {
    case DramLevel::channel:
      return 0;
    case DramLevel::rank:
      return bank / (d.stacks * d.bank_groups * d.banks);
    case DramLevel::stack:
      return bank / (d.bank_groups * d.banks);
    case DramLevel::bank_group:
      return bank / d.banks;
    case DramLevel::bank:
      return bank;
  }
  return 0;
}

bool meet(const config::DramDevice& d, const DramConstraint& c, std::uint32_t a, std::uint32_t b) {
  if (!c.other) return node(d, c.level, a) == node(d, c.level, b);
  const auto wider = static_cast<DramLevel>(static_cast<int>(c.level) - 1);
  return node(d, c.level, a) != node(d, c.level, b) && node(d, wider, a) == node(d, wider, b);
}

// Pairs that are closer than a constraint of the device allows. Where a command goes to a whole rank, bank
// and bank group do not count.
int violations(const config::DramDevice& d, const std::vector<memory::DramCommandRecord>& commands) {
  int found = 0;
  for (std::size_t j = 0; j < commands.size(); ++j) {
    for (const DramConstraint& c : d.constraints) {
      if (c.after != commands[j].command) continue;
      std::uint32_t seen = 0;
      for (std::size_t i = j; i-- > 0 && commands[j].clock - commands[i].clock < c.clocks;) {
        if (commands[i].command != c.before || !meet(d, c, commands[i].bank, commands[j].bank)) continue;
        if (++seen == c.window) {
          ++found;
          break;
        }
      }
    }
  }
  return found;
}

}  // namespace

TEST_CASE(
    "streams over two stack IDs keep every distance, and reads of different ones are as close as allowed") {
  std::mt19937_64 random(3);
  for (const auto refresh : {config::DramRefresh::all_bank, config::DramRefresh::per_bank}) {
    config::DramSystem s = preset_system("hbm3-6400-8hi", 1, 32);
    s.refresh = refresh;
    const config::DramDevice& d = s.device;
    REQUIRE(d.stacks == 2);
    std::vector<DramArrival> arrivals;
    for (Clock at = 0; arrivals.size() < 6000; at += random() % 2) {
      // Mostly reads of few rows, all in one pseudo-channel half of the time.
      const auto bank = static_cast<std::uint32_t>(random() % (arrivals.size() % 200 < 100 ? 32 : 64));
      arrivals.push_back({at, random() % 8 == 0, bank, static_cast<std::uint32_t>(random() % 2),
                          static_cast<std::uint32_t>(random() % d.bursts)});
    }
    const DramReplay leap = replay(s, arrivals, {DramAdvance::leap, true, 1, 30000});
    const DramReplay every = replay(s, arrivals, {DramAdvance::every_clock, true, 1, 30000});
    CHECK(violations(d, leap.commands) == 0);
    CHECK(leap.completed == every.completed);
    // The least distance of two reads of a pseudo-channel, with the same and with another stack ID.
    Clock same = 100, other = 100;
    for (std::size_t j = 0; j < leap.commands.size(); ++j) {
      for (std::size_t i = j; i-- > 0 && leap.commands[j].clock - leap.commands[i].clock < 10;) {
        const auto &a = leap.commands[i], &b = leap.commands[j];
        if (a.command != DramCommand::read || b.command != DramCommand::read || a.bank / 32 != b.bank / 32)
          continue;
        Clock& least = a.bank / 16 == b.bank / 16 ? same : other;
        least = std::min(least, b.clock - a.clock);
      }
    }
    CHECK(same == d.clocks.at("nCCD_S"));
    CHECK(other == d.clocks.at("nCCD_R"));
    // A constraint too many would be one that a device without it violates.
    config::DramSystem without = s;
    std::erase_if(without.device.constraints,
                  [](const DramConstraint& c) { return c.level == DramLevel::stack; });
    CHECK(violations(d, replay(without, arrivals).commands) > 0);
  }
}

TEST_CASE("the default mapping changes the stack ID after the bank, and REFpb takes turns over both") {
  const config::DramSystem s = preset_system("hbm3-6400-8hi", 1, 32);
  const memory::DramAddressMap map(s);
  // 2 pseudo-channels x 4 groups x 32 bursts x 4 banks of 32 bytes, then the stack ID.
  CHECK(map.place(32768 - 32).bank % 32 < 16);
  CHECK(map.place(32768).bank == 16);
  CHECK(map.place(65536).bank == 0);
  CHECK(map.place(65536).row == 1);
  config::DramSystem per_bank = s;
  per_bank.refresh = config::DramRefresh::per_bank;
  const DramReplay r =
      replay(per_bank, std::vector<DramArrival>{{0, false, 0, 0, 0}}, {DramAdvance::leap, true, 1, 6300});
  std::vector<std::uint32_t> banks;
  for (const memory::DramCommandRecord& c : r.commands) {
    if (c.command == DramCommand::refresh_bank && c.bank < 32) banks.push_back(c.bank);
  }
  std::sort(banks.begin(), banks.end());
  banks.erase(std::unique(banks.begin(), banks.end()), banks.end());
  CHECK(banks.size() == 32);
}
