// SPDX-License-Identifier: Apache-2.0
// Three DRAM channels whose cycles an established simulator (Ramulator 2.1) has published streams for: their
// numbers, the same as a system for the controller, and a replayer that hands it requests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/dram/system.h"
#include "memory/dram/controller.h"

namespace tokencycle::test {

// Clocks of tCK unless said otherwise. Names are those of the standards without the leading n.
struct DramParameters {
  std::string name;
  std::uint32_t tck_ps = 0, channel_bits = 0;
  std::uint32_t ranks = 1, bank_groups = 4, banks = 4;  // HBM: ranks are pseudo-channels
  std::uint32_t rows = 0, bursts = 0, burst_bytes = 0;  // rows a bank, bursts a row
  std::uint32_t bl = 0, cl = 0, cwl = 0, rcd_read = 0, rcd_write = 0, rp = 0, rp_all = 0;
  std::uint32_t ras = 0, rc = 0, rrd_s = 0, rrd_l = 0, faw = 0, ccd_s = 0, ccd_l = 0;
  std::uint32_t wr = 0, rtp = 0, wtr_s = 0, wtr_l = 0;
  std::uint32_t rfc = 0, refi = 0, rfc_bank = 0, refi_bank = 0;  // refi_bank: of one rank; 0: no such refresh
  std::uint32_t rp_all_to_refresh = 0;                           // from precharge-all to an all-bank refresh
  std::uint32_t activate_clocks = 1;                             // times count from the last of them
  bool two_part_activate = false;                                // times count from the first part
  bool data_clock = false;                                       // starts with a command of its own
  bool row_and_column_bus = false;                               // two command buses
  bool shared_data_bus = true;                                   // by the ranks
};

// The LPDDR5 reference lets an all-bank refresh follow a precharge of all banks after nRPpb; JESD209-5 asks
// for nRPab.
enum class PrechargeAllToRefresh : std::uint8_t { as_standard, as_reference };

DramParameters ddr4_3200aa();
DramParameters lpddr5_6400(PrechargeAllToRefresh quirk = PrechargeAllToRefresh::as_standard);
DramParameters hbm2_2000();

// Idle clocks that the data bus keeps between bursts of another direction or rank.
inline constexpr std::uint32_t kBusTurnaround = 2;

// One channel; FR-FCFS, open page, all-bank refresh, none postponed, queues of 32.
config::DramSystem reference_system(const DramParameters& p);

// Least significant first, above the burst's bytes.
std::vector<config::DramAddressPart> mapping_ro_ba_ra_co_ch();  // column, rank, bank group, bank, row
std::vector<config::DramAddressPart> mapping_bgi();             // rank, bank group, column, bank, row

struct DramArrival {
  memory::Clock at = 0;  // not before; it waits for room and for those before it
  bool write = false;
  std::uint32_t bank = 0, row = 0, column = 0;
};
// Where a byte address lies.
DramArrival decode(const config::DramSystem& system, std::uint64_t address, bool write);

struct DramReplay {
  std::vector<memory::DramCommandRecord> commands;
  std::vector<memory::Clock> accepted, completed;  // of each request
  memory::DramCounters counters;
  memory::Clock end = 0;  // the last completion
};
// leap: the controller is advanced only when a request arrives. every_clock: to each clock.
enum class DramAdvance : std::uint8_t { leap, every_clock };
struct DramReplayOptions {
  DramAdvance advance = DramAdvance::leap;
  bool record_commands = true;
  std::uint32_t parts = 1;  // of one request: arrive together, where there is room
  memory::Clock tail = 0;   // clocks to go on for after the last completion
};
// One request a clock, as the queues accept; request ids count from 0.
DramReplay replay(const config::DramSystem& system, std::span<const DramArrival> arrivals,
                  const DramReplayOptions& options = {});

}  // namespace tokencycle::test
