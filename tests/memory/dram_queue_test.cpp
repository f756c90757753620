// SPDX-License-Identifier: Apache-2.0
// Are the requests of a bank in order of arrival, with its oldest hit and its oldest other known?
#include "memory/dram/queue.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "config/dram/device.h"
#include "memory/dram/banks.h"

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

constexpr std::uint32_t kBank = 3;

config::DramDevice device() {
  return config::read_dram_device(TOKENCYCLE_SOURCE_DIR "/configs/dram/ddr4-3200.json");
}

DramEntry request(Clock arrived, std::uint32_t row) {
  DramEntry entry;
  entry.request.bank = kBank;
  entry.request.row = row;
  entry.arrived = arrived;
  return entry;
}

std::vector<std::uint32_t> order_of(const DramQueue& queue, const std::vector<DramEntry>& entries) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t e = queue.of(kBank).head; e != kNoEntry; e = entries[e].next) order.push_back(e);
  return order;
}

}  // namespace

TEST_CASE("a request that comes into a queue late takes its place by arrival") {
  const config::DramDevice d = device();
  const DramBanks banks(d);
  std::vector<DramEntry> entries = {request(10, 1), request(20, 1), request(30, 1), request(25, 1),
                                    request(5, 1)};
  DramQueue queue(entries, banks);
  CHECK(queue.insert(0));
  CHECK_FALSE(queue.insert(1));
  CHECK_FALSE(queue.insert(2));
  CHECK_FALSE(queue.insert(3));  // between two others
  CHECK(queue.insert(4));        // before all
  CHECK(order_of(queue, entries) == std::vector<std::uint32_t>{4, 0, 1, 3, 2});
  CHECK(queue.of(kBank).tail == 2);
  CHECK(queue.of(kBank).other.entry == 4);
  queue.remove(4);
  queue.remove(2);
  CHECK(order_of(queue, entries) == std::vector<std::uint32_t>{0, 1, 3});
  CHECK(queue.of(kBank).tail == 3);
  CHECK(queue.of(kBank).other.entry == 0);
}

TEST_CASE("the oldest hit and the oldest other of a bank follow its open row and its requests") {
  const config::DramDevice d = device();
  DramBanks banks(d);
  std::mt19937 random(3);
  std::vector<DramEntry> entries;
  for (int i = 0; i < 64; ++i)
    entries.push_back(request(random() % 1000, static_cast<std::uint32_t>(random() % 3)));
  DramQueue queue(entries, banks);
  std::vector<bool> inside(entries.size(), false);
  const auto oldest = [&](bool hit) {
    Clock arrived = ~Clock{0};
    for (std::size_t e = 0; e < entries.size(); ++e) {
      if (inside[e] && (entries[e].request.row == banks.open_row(kBank)) == hit)
        arrived = std::min(arrived, entries[e].arrived);
    }
    return arrived;
  };
  Clock now = 100;
  for (int i = 0; i < 2000; ++i) {
    const auto e = static_cast<std::uint32_t>(random() % entries.size());
    if (inside[e]) {
      queue.remove(e);
    } else {
      queue.insert(e);
    }
    inside[e] = !inside[e];
    if (random() % 8 == 0) {
      now += 1000;
      if (banks.open_row(kBank) != kNoRow) banks.give(config::DramCommand::precharge, kBank, kNoRow, now);
      banks.give(config::DramCommand::activate, kBank, static_cast<std::uint32_t>(random() % 3), now + 500);
      queue.recount(kBank);
    }
    const DramQueue::List& list = queue.of(kBank);
    for (const bool hit : {false, true}) {
      const DramQueue::First& first = hit ? list.hit : list.other;
      REQUIRE((first.entry == kNoEntry ? ~Clock{0} : first.arrived) == oldest(hit));
      const std::uint64_t word = hit ? queue.hits(0) : queue.others(0);
      REQUIRE((word >> kBank & 1) == (first.entry == kNoEntry ? 0 : 1));
    }
  }
}
