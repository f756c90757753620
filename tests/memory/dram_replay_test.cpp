// SPDX-License-Identifier: Apache-2.0
// Does a replayed stream take the clocks of a loop over all clocks, and is it counted right?
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>

#include "base/error.h"
#include "memory/dram/replay.h"
#include "memory/dram/trace.h"
#include "memory/dram_reference.h"
#include "memory/dram_slow_replay.h"

using namespace tokencycle;
using namespace tokencycle::test;
using Catch::Contains;
using memory::Clock;
using memory::DramReplayResult;
using memory::DramRequestAt;

namespace {

const std::filesystem::path kRoot = TOKENCYCLE_SOURCE_DIR;

class ListSource : public memory::DramRequestSource {
 public:
  explicit ListSource(const DramRequests& requests) : requests_(requests) {}
  bool next(DramRequestAt& request) override {
    if (next_ == requests_.size()) return false;
    request = requests_[next_++];
    return true;
  }

 private:
  const DramRequests& requests_;
  std::size_t next_ = 0;
};

class CommandList : public memory::DramCommandSink {
 public:
  void commanded(std::uint32_t channel, const memory::DramCommandRecord& r) override {
    commands.push_back(command_line(channel, r));
  }
  std::vector<DramCommandLine> commands;
};

void check_latencies(const memory::DramLatencies& counted, const std::vector<Clock>& sorted) {
  REQUIRE(counted.count() == sorted.size());
  if (sorted.empty()) return;
  CHECK(counted.min() == sorted.front());
  CHECK(counted.max() == sorted.back());
  CHECK(counted.percentile(50) == sorted[(sorted.size() + 1) / 2 - 1]);
  const double sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  CHECK(counted.average() == Approx(sum / static_cast<double>(sorted.size())));
}

// Runs of neighbours, jumps, and now and then a pause; `times`: with clocks of arrival.
DramRequests random_requests(std::uint64_t seed, std::size_t count, bool times) {
  std::mt19937_64 random(seed);
  DramRequests requests;
  std::uint64_t address = 0;
  Clock at = 0;
  while (requests.size() < count) {
    address = random() % 4 == 0 ? random() % (1 << 24) : address + 64;
    if (times && random() % 8 == 0) at += random() % (random() % 40 == 0 ? 30000 : 40);
    requests.push_back({address, at, random() % 3 == 0});
  }
  return requests;
}

config::DramSystem system_of(int which) {
  switch (which) {
    case 0:
      return reference_system(ddr4_3200aa());
    case 1:
      return reference_system(lpddr5_6400());
    default:
      return reference_system(hbm2_2000());
  }
}

config::DramSystem preset(const std::string& name) {
  return config::read_dram_system(kRoot / "configs/dram" / (name + ".json"));
}

DramReplayResult replay_list(const config::DramSystem& system, const DramRequests& requests,
                             std::uint32_t request_bytes = 64) {
  ListSource source(requests);
  return memory::replay(system, source, {request_bytes});
}

void check_accounts(const config::DramSystem& system, const DramReplayResult& r) {
  std::uint64_t bursts = 0;
  for (const memory::DramChannelResult& c : r.channels) {
    CHECK(c.busy + std::accumulate(c.idle.begin(), c.idle.end(), Clock{0}) == r.clocks);
    CHECK(c.transfers >= c.busy);
    const auto given = [&](config::DramCommand k) {
      return c.counters.commands[static_cast<std::size_t>(k)];
    };
    const std::uint64_t moved = given(config::DramCommand::read) + given(config::DramCommand::read_auto) +
                                given(config::DramCommand::write) + given(config::DramCommand::write_auto);
    CHECK(c.transfers == moved * system.device.burst_clocks);
    CHECK(c.counters.hits + c.counters.misses + c.counters.conflicts == moved);
    CHECK(moved + c.counters.forwarded + c.counters.coalesced == c.counters.reads + c.counters.writes);
    bursts += c.counters.reads + c.counters.writes;
    memory::DramBankCounters sum;
    for (const memory::DramBankCounters& b : c.banks) {
      sum.reads += b.reads, sum.writes += b.writes, sum.hits += b.hits, sum.misses += b.misses;
      sum.conflicts += b.conflicts, sum.activations += b.activations;
    }
    CHECK(sum.reads == c.counters.reads);
    CHECK(sum.writes == c.counters.writes);
    CHECK(sum.hits == c.counters.hits);
    CHECK(sum.misses == c.counters.misses);
    CHECK(sum.conflicts == c.counters.conflicts);
    CHECK(sum.activations == given(config::DramCommand::activate));
    CHECK(c.open_bank_clocks <= r.clocks * c.banks.size());
    CHECK(c.refreshing_clocks <= r.clocks * c.banks.size());
  }
  CHECK(r.bursts == bursts);
  CHECK(r.requests == r.reads.count() + r.writes.count());
}

}  // namespace

TEST_CASE("a replay gives the commands, clocks and latencies of a loop over all clocks") {
  for (int which = 0; which < 3; ++which) {
    for (const std::uint32_t channels : {1u, 2u, 4u}) {
      for (const bool times : {false, true}) {
        config::DramSystem system = system_of(which);
        system.channels = channels;
        const std::uint32_t bytes = times ? 128 : 64;
        const DramRequests requests = random_requests(which * 100 + channels, 1500, times);
        const DramSlowReplay slow = slow_replay(system, requests, bytes);
        ListSource source(requests);
        CommandList commands;
        const DramReplayResult fast = memory::replay(system, source, {bytes}, &commands);
        CAPTURE(which, channels, times);
        CHECK(fast.clocks == slow.end);
        CHECK(fast.stalled == slow.stalled);
        check_latencies(fast.reads, slow.read_latencies);
        check_latencies(fast.writes, slow.write_latencies);
        CHECK(commands.commands.size() == slow.commands.size());
        CHECK((commands.commands == slow.commands));
        check_accounts(system, fast);
        // Commands are told or not: nothing else changes.
        const DramReplayResult untold = replay_list(system, requests, bytes);
        CHECK(untold.clocks == fast.clocks);
        CHECK(untold.counters().commands == fast.counters().commands);
        CHECK(untold.channels.back().idle == fast.channels.back().idle);
        CHECK(untold.channels.back().open_bank_clocks == fast.channels.back().open_bank_clocks);
        CHECK(untold.channels.back().refreshing_clocks == fast.channels.back().refreshing_clocks);
      }
    }
  }
}

TEST_CASE("a request arrives at its clock, and one clock after the one before it") {
  // ACT a clock after the arrival, RD after nRCD, its last data after nCL + nBL.
  const Clock alone = 1 + 22 + 22 + 4;
  const config::DramSystem system = system_of(0);
  CHECK(replay_list(system, {{0, 0, false}}).clocks == alone);
  const DramReplayResult late = replay_list(system, {{0, 5000, false}});
  CHECK(late.clocks == 5000 + alone);
  CHECK(late.reads.max() == alone);
  // The second is a hit of the same bank group, nCCD_L = 8 behind the first.
  const DramReplayResult two = replay_list(system, {{0, 5000, false}, {64, 5000, false}});
  CHECK(two.clocks == 5000 + alone + 8);
  CHECK(two.reads.max() == alone + 8 - 1);
  CHECK(two.stalled == 0);
}

TEST_CASE("a request is the aligned block that holds its address") {
  const config::DramSystem system = system_of(1);  // bursts of 32 bytes
  const auto columns = [&](std::uint64_t address, std::uint32_t bytes) {
    const DramRequests requests = {{address, 0, false}};
    ListSource source(requests);
    CommandList commands;
    memory::replay(system, source, {bytes}, &commands);
    std::vector<std::uint32_t> read;
    for (const DramCommandLine& c : commands.commands) {
      if (std::get<2>(c) == config::DramCommand::read) read.push_back(std::get<5>(c));
    }
    return read;
  };
  CHECK(columns(64, 64) == std::vector<std::uint32_t>{2, 3});
  CHECK(columns(127, 64) == std::vector<std::uint32_t>{2, 3});
  CHECK(columns(127, 32) == std::vector<std::uint32_t>{3});
  CHECK(columns(129, 128) == std::vector<std::uint32_t>{4, 5, 6, 7});
}

TEST_CASE("a size of requests that is no power of two from a burst on is refused") {
  for (const std::uint32_t bytes : {0u, 32u, 96u, 1u << 21, ~0u}) {
    CAPTURE(bytes);
    const DramRequests requests = {{0, 0, false}};
    ListSource source(requests);
    CHECK_THROWS_AS(memory::replay(system_of(0), source, {bytes}), UsageError);
    CHECK_THROWS_WITH(memory::replay(system_of(0), source, {bytes}),
                      Contains("--request-bytes is " + std::to_string(bytes)) && Contains("64 (a burst"));
  }
}

TEST_CASE("reads behind a full queue wait, and hold what comes after them") {
  // One bank, another row each: far slower than one a clock. The write at the end has an empty queue.
  DramRequests requests;
  for (std::uint64_t i = 0; i < 100; ++i) requests.push_back({i << 17, 0, false});
  requests.push_back({64, 0, true});
  const config::DramSystem system = system_of(0);
  const DramReplayResult r = replay_list(system, requests);
  CHECK(r.stalled > 60 * 74);  // nRC
  CHECK(r.writes.count() == 1);
  const DramSlowReplay slow = slow_replay(system, requests, 64);
  CHECK(r.stalled == slow.stalled);
  CHECK(r.writes.max() == slow.write_latencies.front());
}

TEST_CASE("a long pause costs its refreshes and nothing else") {
  const config::DramSystem system = system_of(0);
  const DramReplayResult r = replay_list(system, {{0, 0, false}, {0, memory::kLastArrival, false}});
  const Clock interval = system.device.refresh_interval;
  CHECK(r.counters().commands[static_cast<std::size_t>(config::DramCommand::refresh_all)] ==
        r.clocks / interval);
  CHECK(r.clocks < memory::kLastArrival + 1000);
  check_accounts(system, r);
}

TEST_CASE("energy is the sum of the channels', each by its commands, its open banks and the time") {
  config::DramSystem system = preset("ddr5-4800");
  system.channels = 2;
  system.mapping = config::default_mapping(system);
  const DramReplayResult r = replay_list(system, random_requests(7, 2000, true));
  REQUIRE(r.energy().has_value());
  double total = 0;
  for (const memory::DramChannelResult& c : r.channels) {
    REQUIRE(c.energy.has_value());
    CHECK(c.energy->total() ==
          memory::energy_of(system.device, c.counters, c.open_bank_clocks, r.clocks)->total());
    CHECK(c.energy->open_bank_pj > 0);
    CHECK(c.energy->read_pj > 0);
    total += c.energy->total();
  }
  CHECK(r.energy()->total() == Approx(total));
  CHECK_FALSE(replay_list(preset("hbm3-6400"), {{0, 0, false}}).energy().has_value());
}

TEST_CASE("reference streams read from their files take the clocks of the plain replayer") {
  const std::filesystem::path streams = kRoot / "../shared/validation/dram";
  std::ifstream file(streams / "reference.csv");
  if (!file) {
    WARN("skipped: no reference streams in " << streams.string());
    return;
  }
  std::string line;
  std::getline(file, line);
  int rows = 0;
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::istringstream in(line);
    for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
    if (cells[4] != "AllBank") continue;  // the rows without refresh would double the time and say no more
    ++rows;
    config::DramSystem system = system_of(cells[0] == "ddr4_3200aa" ? 0 : cells[0] == "lpddr5_6400" ? 1 : 2);
    system.mapping = cells[2] == "bgi" ? mapping_bgi() : mapping_ro_ba_ra_co_ch();
    const std::string path = (streams / (cells[1] + ".trace.gz")).string();
    std::vector<DramArrival> bursts;
    memory::DramTraceReader list(path, {system.device.channel_bytes()});
    for (DramRequestAt r; list.next(r);) {
      for (std::uint32_t part = 0; part < 64; part += system.device.burst_bytes) {
        bursts.push_back(decode(system, r.address + part, r.write));
      }
    }
    const DramReplay expected =
        replay(system, bursts, {DramAdvance::leap, false, 64 / system.device.burst_bytes, 0});
    memory::DramTraceReader source(path, {system.device.channel_bytes()});
    const DramReplayResult result = memory::replay(system, source);
    CAPTURE(line);
    CHECK(result.clocks == expected.end);
    CHECK(result.counters().reads == expected.counters.reads);
    CHECK(result.counters().hits == expected.counters.hits);
    CHECK(result.counters().conflicts == expected.counters.conflicts);
    // As closely as two established simulators agree on random streams.
    CHECK(result.reads.average() == Approx(std::stod(cells[8])).epsilon(0.03));
    check_accounts(system, result);
  }
  CHECK(rows == 30);
}
