// SPDX-License-Identifier: Apache-2.0
// Reads of open rows, which a controller serves from a stream while no observer subscribes to its commands:
// the same, clock by clock, as from its queues?
#include <catch2/catch.hpp>
#include <random>
#include <tuple>

#include "memory/dram/controller.h"
#include "support/command_memory.h"

using namespace tokencycle;
using namespace tokencycle::memory;

namespace {

class Heard : public DramListener {
 public:
  explicit Heard(bool commands) : commands_(commands) {}
  std::vector<std::tuple<Clock, int, std::uint64_t>> all;
  void completed(std::uint64_t id, Clock clock) override { all.emplace_back(clock, 0, id); }
  void transferring(Clock begin, Clock end, bool write) override {
    all.emplace_back(begin, -1 - int{write}, end);
  }
  void waiting(Clock from, DramWait wait) override { all.emplace_back(from, 1 + static_cast<int>(wait), 0); }
  bool wants_commands() const override { return commands_; }

 private:
  const bool commands_;
};

struct Side {
  Heard heard;
  DramController controller;
  Side(const config::DramSystem& system, bool commands) : heard(commands), controller(system, heard) {}
};

// Bursts of a row, a bank after the other or a few at a time, now and then of another row or written.
DramRequest next_request(std::mt19937& random, std::uint32_t banks, std::uint64_t id) {
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const std::uint32_t row = below(400) == 0 ? 8 : 7;
  const std::uint32_t bank = below(2) == 0 ? static_cast<std::uint32_t>(id % banks) : below(banks);
  return {id, below(600) == 0, bank, row, below(32)};
}

}  // namespace

TEST_CASE("reads of open rows are served from a stream as from the queues") {
  for (const char* const preset :
       {"ddr4-2400", "ddr5-4800", "hbm2-2000", "hbm3-6400", "gddr6-16000", "lpddr4-3200", "lpddr5-6400"}) {
    for (const std::uint32_t ranks : {1u, 2u}) {
      INFO(preset << ", " << ranks << " ranks");
      config::DramSystem system = test::preset_system(preset, 1, 64);
      system.device.ranks = ranks;
      const auto banks = system.device.banks_of_channel();
      Side streamed(system, false), queued(system, true);
      std::mt19937 random(11);
      std::uint64_t id = 0;
      Clock now = 0;
      for (int round = 0; round < 20000; ++round) {
        const DramRequest r =
            next_request(random, std::min(banks, 8u + static_cast<std::uint32_t>(round) / 2500u), ++id);
        for (Side* side : {&streamed, &queued}) {
          while (!side->controller.has_room(r.write, r.bank)) side->controller.advance(++now);
        }
        streamed.controller.advance(now);
        queued.controller.advance(now);
        REQUIRE(streamed.controller.depths() == queued.controller.depths());
        streamed.controller.accept(now, r);
        queued.controller.accept(now, r);
        now += random() % 8 == 0 ? random() % 60 : random() % 5;
      }
      streamed.controller.advance(now + 5000);
      queued.controller.advance(now + 5000);
      CHECK(streamed.heard.all.size() > 20000);
      CHECK(streamed.heard.all == queued.heard.all);
      CHECK(streamed.controller.counters().hits == queued.controller.counters().hits);
      CHECK(streamed.controller.counters().commands == queued.controller.counters().commands);
      CHECK(streamed.controller.counters().turnarounds == queued.controller.counters().turnarounds);
      for (std::uint32_t b = 0; b < banks; ++b)
        CHECK(streamed.controller.banks()[b].hits == queued.controller.banks()[b].hits);
    }
  }
}
