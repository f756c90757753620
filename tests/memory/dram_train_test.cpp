// SPDX-License-Identifier: Apache-2.0
// Reads served as a train: does serve_train() report, clock by clock, what a controller reports that accepts
// them one by one?
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <tuple>

#include "memory/dram/controller.h"
#include "support/command_memory.h"

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

// Everything that a controller reports but its waits as (clock, what, ...), and the waits.
class Heard : public DramListener {
 public:
  std::vector<std::tuple<Clock, int, std::uint64_t, std::uint64_t>> all;
  std::vector<std::pair<Clock, DramWait>> waits;
  void completed(std::uint64_t id, Clock clock) override { all.emplace_back(clock, 0, id, 0); }
  void commanded(const DramCommandRecord& r) override {
    all.emplace_back(r.clock, 1 + static_cast<int>(r.command), r.bank,
                     r.row + (std::uint64_t{r.column} << 32));
  }
  void transferring(Clock begin, Clock end, bool write) override {
    all.emplace_back(begin, -1 - int{write}, end, 0);
  }
  void waiting(Clock from, DramWait wait) override { waits.emplace_back(from, wait); }
};

struct Side {
  Heard heard;
  DramController controller;
  explicit Side(const config::DramSystem& system) : controller(system, heard) {}
};

}  // namespace

TEST_CASE("a train of reads is what they are one by one") {
  std::uint64_t trains = 0;
  for (const char* const preset :
       {"ddr4-2400", "ddr5-4800", "hbm2-2000", "hbm3-6400", "gddr6-16000", "lpddr4-3200"}) {
    INFO(preset);
    const config::DramSystem system = test::preset_system(preset, 1, 64);
    const auto banks = system.device.banks_of_channel();
    Side together(system), apart(system);
    std::mt19937 random(7);
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    std::uint64_t served = 0, id = 0;
    Clock now = 0;
    for (int round = 0; round < 3000; ++round) {
      const bool write = below(20) == 0;
      const std::uint32_t row = below(40) == 0 ? 8 : 7;
      std::vector<DramRequest> requests;
      for (std::uint32_t i = 0, n = 1 + below(6); i < n; ++i)
        requests.push_back({++id, write, below(std::min(banks, 12u)), row, below(32)});
      // Room for all of them to be done, or not.
      const Clock until = now + (below(4) == 0 ? below(60) : 40 + below(400));
      if (!write && together.controller.serve_train(now, requests, until)) {
        ++served;
      } else {
        for (const DramRequest& r : requests) together.controller.accept(now, r);
      }
      together.controller.advance(until);
      for (const DramRequest& r : requests) apart.controller.accept(now, r);
      for (Clock t = now; t <= until; ++t) apart.controller.advance(t);
      REQUIRE(together.controller.next_event() == apart.controller.next_event());
      REQUIRE(together.controller.waiting() == apart.controller.waiting());
      now = until + below(3);
      while (together.controller.waiting() > 20) {
        now += 50;
        together.controller.advance(now);
        apart.controller.advance(now);
      }
    }
    CHECK(together.heard.all == apart.heard.all);
    CHECK(together.heard.waits == apart.heard.waits);
    CHECK(together.controller.counters().hits == apart.controller.counters().hits);
    CHECK(together.controller.counters().turnarounds == apart.controller.counters().turnarounds);
    for (std::uint32_t b = 0; b < banks; ++b)
      CHECK(together.controller.banks()[b].hits == apart.controller.banks()[b].hits);
    CHECK(served > 300);
    trains += served;
  }
  CHECK(trains > 5000);
}
