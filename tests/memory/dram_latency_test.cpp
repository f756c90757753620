// SPDX-License-Identifier: Apache-2.0
// Are latencies and clocks of the data bus counted as a plain list would count them?
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "memory/dram/bus.h"
#include "memory/dram/latency.h"

using namespace tokencycle;
using memory::Clock;
using memory::DramBus;
using memory::DramLatencies;
using memory::DramWait;

namespace {

// Nearest rank, `permille` of the sorted list.
Clock of_sorted(const std::vector<Clock>& sorted, std::uint64_t permille) {
  const std::uint64_t rank = (sorted.size() * permille + 999) / 1000;
  return sorted[rank - 1];
}

// Every clock's state by itself: the bursts that cover it, else the last wait told for it.
struct PlainBus {
  std::vector<int> bursts;
  std::vector<DramWait> waits;
  explicit PlainBus(std::size_t clocks) : bursts(clocks), waits(clocks, DramWait::nothing) {}
};

}  // namespace

TEST_CASE("percentiles of latencies below 65,536 clocks are those of the sorted list") {
  std::mt19937_64 random(1);
  for (const std::size_t count : {1u, 2u, 3u, 10u, 999u, 1000u, 1001u, 20000u}) {
    DramLatencies latencies;
    std::vector<Clock> list;
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      list.push_back(random() % (random() % 2 == 0 ? 100 : 65536));
      latencies.add(list.back());
      sum += static_cast<double>(list.back());
    }
    std::sort(list.begin(), list.end());
    CAPTURE(count);
    CHECK(latencies.count() == count);
    CHECK(latencies.min() == list.front());
    CHECK(latencies.max() == list.back());
    CHECK(latencies.average() == Approx(sum / static_cast<double>(count)));
    for (const std::uint64_t permille : {1, 10, 250, 500, 900, 990, 999, 1000}) {
      CAPTURE(permille);
      CHECK(latencies.percentile(static_cast<double>(permille) / 10) == of_sorted(list, permille));
    }
  }
}

TEST_CASE("percentiles of longer latencies are too large by 1/256 at most, and never beyond the largest") {
  std::mt19937_64 random(2);
  DramLatencies latencies;
  std::vector<Clock> list = {65535, 65536, 65537, 131071, 131072, memory::kNoClock};
  for (int i = 0; i < 5000; ++i) list.push_back(random() >> (random() % 64));
  for (const Clock latency : list) latencies.add(latency);
  std::sort(list.begin(), list.end());
  for (std::uint64_t permille = 1; permille <= 1000; ++permille) {
    const Clock exact = of_sorted(list, permille),
                told = latencies.percentile(static_cast<double>(permille) / 10);
    CAPTURE(permille, exact, told);
    CHECK(told >= exact);
    CHECK(told - exact <= exact / DramLatencies::kParts);
    CHECK(told <= latencies.max());
    if (exact < DramLatencies::kExact) CHECK(told == exact);
  }
}

TEST_CASE("without latencies all figures are 0") {
  const DramLatencies none;
  CHECK(none.count() == 0);
  CHECK(none.min() == 0);
  CHECK(none.max() == 0);
  CHECK(none.average() == 0);
  CHECK(none.percentile(99) == 0);
}

TEST_CASE("a bus is busy while a burst passes and idle for what is waited for otherwise") {
  DramBus bus;
  bus.settle(3);
  bus.waiting(5, DramWait::bank_busy);
  bus.settle(10);  // a transfer's command
  bus.transferring(20, 24);
  bus.waiting(11, DramWait::refresh);
  bus.settle(22);
  CHECK(bus.busy() == 2);
  bus.settle(30);
  CHECK(bus.busy() == 4);
  CHECK(bus.transfers() == 4);
  const auto idle = bus.idle();
  CHECK(idle[static_cast<std::size_t>(DramWait::nothing)] == 5);
  CHECK(idle[static_cast<std::size_t>(DramWait::bank_busy)] == 6);
  CHECK(idle[static_cast<std::size_t>(DramWait::refresh)] == 9 + 6);
}

TEST_CASE("clocks of a bus are those of a list of all clocks, also where bursts overlap and change order") {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 50; ++trial) {
    DramBus bus;
    PlainBus plain(4000);
    Clock transfers = 0, now = 0;
    // Now and then nothing at all happens for long, or a burst a clock.
    for (; now < 3500; now += random() % (random() % 50 == 0 ? 200 : 3)) {
      bus.settle(now);
      if (random() % 3 == 0) {
        const auto wait = static_cast<DramWait>(random() % memory::kDramWaits);
        bus.waiting(now, wait);
        std::fill(plain.waits.begin() + static_cast<std::ptrdiff_t>(now), plain.waits.end(), wait);
      }
      if (random() % 2 == 0) {
        const Clock begin = now + (random() % 2 == 0 ? 5 : 14), end = begin + 2;
        bus.transferring(begin, end);
        transfers += end - begin;
        for (Clock t = begin; t < end; ++t) ++plain.bursts[t];
      }
    }
    const Clock end = now + random() % 100;
    bus.settle(end);
    Clock busy = 0;
    std::array<Clock, memory::kDramWaits> idle{};
    for (Clock t = 0; t < end; ++t) {
      if (plain.bursts[t] != 0) {
        ++busy;
      } else {
        ++idle[static_cast<std::size_t>(plain.waits[t])];
      }
    }
    CAPTURE(trial);
    CHECK(bus.busy() == busy);
    CHECK(bus.idle() == idle);
    CHECK(bus.transfers() == transfers);
  }
}
