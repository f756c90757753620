// SPDX-License-Identifier: Apache-2.0
// How a memory controller uses its devices: queues, scheduling, pages, refresh, addresses.
#pragma once

#include "config/dram/device.h"
#include "config/dram/policies.h"

namespace tokencycle::config {

enum class DramAddressField : std::uint8_t { channel, rank, bank_group, bank, row, column, stack_id };
inline constexpr int kDramAddressFields = 7;
std::string_view name_of(DramAddressField f);

// A run of address bits, at least one.
struct DramAddressPart {
  DramAddressField field = DramAddressField::column;
  std::uint32_t bits = 0;
};
// field ^= the bits of `with` from bit `shift` on, as many as the field has
struct DramAddressHash {
  DramAddressField field = DramAddressField::bank, with = DramAddressField::row;
  std::uint32_t shift = 0;
};

// What has queues of its own for reads and writes. With one for each bank, writes are drained from where the
// fullest bank's is above write_high, until all are below write_low.
enum class DramQueueOf : std::uint8_t { channel, bank };
inline constexpr std::array<std::string_view, 2> kDramQueueOf = {"channel", "bank"};

struct DramSystem {
  std::string name, description;
  std::string preset;  // of the device, as the description names it
  DramDevice device;
  std::uint32_t channels = 1;
  std::vector<DramAddressPart> mapping;  // least significant first, above the burst's bytes; all bits once
  std::vector<DramAddressHash> hashes;   // applied in order
  DramScheduler scheduler = DramScheduler::fr_fcfs;
  std::uint32_t row_hit_cap = 4;
  DramPagePolicy page_policy = DramPagePolicy::open;
  DramRefresh refresh = DramRefresh::all_bank;
  std::uint32_t postpone = 0;  // refreshes that wait for an idle queue
  DramQueueOf queue_of = DramQueueOf::channel;
  std::uint32_t read_queue = 32, write_queue = 32;  // places of each of these queues
  std::uint32_t activated_queue = 32;               // always of the channel
  double write_high = 0.8, write_low = 0.2;         // of the write queue: where draining begins and ends
};

// Bits that number a field's values. A channel's part is a digit of the address, so it stands for exactly as
// many values as there are channels, also when these are no power of two.
std::uint32_t bits_of(const DramSystem& system, DramAddressField field);

// Spreads neighbouring bursts over whatever can transfer at the same time: channels, pseudo-channels (their
// data buses are separate) and bank groups (only in different ones do bursts follow each other without a gap,
// nCCD_S < nCCD_L). Then comes the rest of a row, so that a stream finds its rows open; then banks, so that
// the next rows open while these are read; then stack IDs and ranks, since another one costs idle clocks of
// the bus; then rows. A request of several bursts stays in its channel: its bursts are spread over what comes
// next.
std::vector<DramAddressPart> default_mapping(const DramSystem& system, std::uint32_t request_bursts = 1);

// Whether all bursts of a request, aligned to its size, are in one channel.
bool keeps_requests_whole(const DramSystem& system, std::uint32_t request_bursts);

// Reads a system or, with the defaults for everything else, a preset. A preset given by name is looked for
// beside the file and in `presets`. Throws as read_dram_device does.
DramSystem read_dram_system(const std::filesystem::path& path, const std::filesystem::path& presets = {});

}  // namespace tokencycle::config
