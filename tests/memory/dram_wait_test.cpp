// SPDX-License-Identifier: Apache-2.0
// Does the controller say what its next transfer waits for, and since when?
#include <algorithm>
#include <catch2/catch.hpp>

#include "memory/dram_watch.h"

using namespace tokencycle;
using namespace tokencycle::test;
using config::DramRefresh;
using memory::Clock;
using memory::DramWait;

namespace {

using Waits = std::vector<DramWaitChange>;
using Bus = std::vector<DramBusUse>;

config::DramSystem without_refresh(const DramParameters& p) {
  config::DramSystem system = reference_system(p);
  system.refresh = DramRefresh::none;
  return system;
}

DramArrival read_at(Clock at, std::uint32_t bank, std::uint32_t row, std::uint32_t column = 0) {
  return {at, false, bank, row, column};
}
DramArrival write_at(Clock at, std::uint32_t bank, std::uint32_t row, std::uint32_t column = 0) {
  return {at, true, bank, row, column};
}

const DramParameters p = ddr4_3200aa();
// The request of clock 0 is seen in 1: the row of the first one is opened there, and its transfer follows.
constexpr Clock kFirst = 1;

}  // namespace

TEST_CASE("every wait has its own name") {
  std::vector<std::string_view> names;
  for (int w = 0; w < memory::kDramWaits; ++w) names.push_back(name_of(static_cast<DramWait>(w)));
  CHECK(names == std::vector<std::string_view>{"nothing", "bandwidth", "bank_busy", "row_conflict",
                                               "turnaround", "refresh"});
}

TEST_CASE("a read of a closed row waits for its bank until it is transferred") {
  const DramWatched seen = watch(without_refresh(p), std::vector{read_at(0, 0, 1)}, 500);
  const Clock read = kFirst + p.rcd_read;
  CHECK(seen.waits == Waits{{kFirst, DramWait::bank_busy}, {read, DramWait::nothing}});
  CHECK(seen.bus == Bus{{read + p.cl, read + p.cl + p.bl, false}});
}

TEST_CASE("a read of another row of its bank waits for the conflict from before the precharge on") {
  const DramWatched seen = watch(without_refresh(p), std::vector{read_at(0, 0, 1), read_at(0, 0, 2)}, 500);
  const Clock first = kFirst + p.rcd_read;
  const Clock precharge = std::max(kFirst + p.ras, first + p.rtp);
  const Clock second = std::max(precharge + p.rp, kFirst + p.rc) + p.rcd_read;
  CHECK(seen.waits == Waits{{kFirst, DramWait::bank_busy},
                            {first, DramWait::bandwidth},
                            {first + 1, DramWait::row_conflict},
                            {second, DramWait::nothing}});
  CHECK(seen.bus ==
        Bus{{first + p.cl, first + p.cl + p.bl, false}, {second + p.cl, second + p.cl + p.bl, false}});
}

TEST_CASE("a read of an open row goes at once, one of another row waits for the conflict") {
  const DramWatched hit =
      watch(without_refresh(p), std::vector{read_at(0, 0, 1), read_at(300, 0, 1, 1)}, 900);
  CHECK(hit.waits == Waits{{kFirst, DramWait::bank_busy}, {kFirst + p.rcd_read, DramWait::nothing}});
  const DramWatched conflict =
      watch(without_refresh(p), std::vector{read_at(0, 0, 1), read_at(300, 0, 2)}, 900);
  CHECK(conflict.waits == Waits{{kFirst, DramWait::bank_busy},
                                {kFirst + p.rcd_read, DramWait::nothing},
                                {301, DramWait::row_conflict},
                                {301 + p.rp + p.rcd_read, DramWait::nothing}});
}

TEST_CASE("a read after a write and a write after a read wait for the turnaround of the bus") {
  const DramWatched to_read =
      watch(without_refresh(p), std::vector{write_at(0, 0, 1), read_at(10, 0, 1, 1)}, 900);
  const Clock write = kFirst + p.rcd_write, read_then = write + p.cwl + p.bl + p.wtr_l;
  CHECK(to_read.waits == Waits{{kFirst, DramWait::bank_busy},
                               {write, DramWait::bandwidth},
                               {write + 1, DramWait::turnaround},
                               {read_then, DramWait::nothing}});
  CHECK(to_read.bus ==
        Bus{{write + p.cwl, write + p.cwl + p.bl, true}, {read_then + p.cl, read_then + p.cl + p.bl, false}});

  const DramWatched to_write =
      watch(without_refresh(p), std::vector{read_at(0, 0, 1), write_at(10, 0, 1, 1)}, 900);
  const Clock read = kFirst + p.rcd_read, write_then = read + p.cl + p.bl + kBusTurnaround - p.cwl;
  CHECK(to_write.waits == Waits{{kFirst, DramWait::bank_busy},
                                {read, DramWait::bandwidth},
                                {read + 1, DramWait::turnaround},
                                {write_then, DramWait::nothing}});
}

TEST_CASE("a request that meets a refresh waits for it, then for its bank") {
  const Clock due = p.refi;
  const DramWatched closed = watch(reference_system(p), std::vector{read_at(due - 1, 0, 1)}, due + 2000);
  CHECK(closed.waits == Waits{{due, DramWait::refresh},
                              {due + p.rfc, DramWait::bank_busy},
                              {due + p.rfc + p.rcd_read, DramWait::nothing}});

  const DramWatched open =
      watch(reference_system(p), std::vector{read_at(0, 0, 1), read_at(due - 1, 0, 1, 1)}, due + 2000);
  const Clock end = due + p.rp_all_to_refresh + p.rfc;  // all banks are precharged first
  CHECK(open.waits == Waits{{kFirst, DramWait::bank_busy},
                            {kFirst + p.rcd_read, DramWait::nothing},
                            {due, DramWait::refresh},
                            {end, DramWait::bank_busy},
                            {end + p.rcd_read, DramWait::nothing}});
  // Nobody waits for it.
  CHECK(watch(reference_system(p), {}, 10 * due).waits.empty());
}

TEST_CASE("a refresh of one bank is waited for by that bank's requests alone") {
  const DramParameters l = lpddr5_6400();
  config::DramSystem system = reference_system(l);
  system.refresh = DramRefresh::per_bank;
  const Clock due = l.refi_bank;  // of bank 0
  const auto waits_of = [&](std::uint32_t bank) {
    return watch(system, std::vector{read_at(due + 20, bank, 1)}, 2 * due - 1).waits;
  };
  const Waits own = waits_of(0), other = waits_of(5);
  REQUIRE(own.size() == 3);
  CHECK(own[0] == DramWaitChange{due + 21, DramWait::refresh});
  CHECK(own[1] == DramWaitChange{due + l.rfc_bank, DramWait::bank_busy});
  REQUIRE(other.size() == 2);
  CHECK(other[0] == DramWaitChange{due + 21, DramWait::bank_busy});
}

TEST_CASE("a stream that uses every clock of the bus waits for bandwidth alone") {
  std::vector<DramArrival> arrivals = {read_at(0, 0, 1), read_at(0, 4, 1)};
  for (std::uint32_t n = 0; n < 60; ++n) arrivals.push_back(read_at(300, n % 2 * 4, 1, n));
  const DramWatched seen = watch(without_refresh(p), arrivals, 900);
  // The last one's command is 59 bursts after the first one's, which goes where it is seen.
  const Clock first = 301, last = first + 59 * p.bl;
  REQUIRE(seen.waits.size() >= 2);
  CHECK(Waits(seen.waits.end() - 2, seen.waits.end()) ==
        Waits{{first, DramWait::bandwidth}, {last, DramWait::nothing}});
  REQUIRE(seen.bus.size() == 62);
  for (std::size_t i = 3; i < seen.bus.size(); ++i) CHECK(seen.bus[i].begin == seen.bus[i - 1].end);
}

TEST_CASE("rows that open behind a full bus are not waited for") {
  // Two bank groups in turn; each pair of rows is read for 512 clocks and more.
  std::vector<DramArrival> arrivals;
  for (std::uint32_t n = 0; n < 2048; ++n)
    arrivals.push_back(read_at(0, n % 2 * 4 + n / 256 % 2, n / 512, n / 2 % 128));
  config::DramSystem system = without_refresh(p);
  system.read_queue = 64;
  const Clock first = kFirst + p.rcd_read, last = first + 2047 * p.bl;
  CHECK(watch(system, arrivals, last + 500).waits == Waits{{kFirst, DramWait::bank_busy},
                                                           {first, DramWait::bandwidth},
                                                           {first + 1, DramWait::bank_busy},
                                                           {first + p.rrd_s, DramWait::bandwidth},
                                                           {last, DramWait::nothing}});
}
