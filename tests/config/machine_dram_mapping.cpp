// SPDX-License-Identifier: Apache-2.0
// Is the default mapping for requests of several bursts the documented one, bit by bit?
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "machine_folder.h"

namespace tokencycle::config {
namespace {

// "column3": one bit of a field.
using Bits = std::vector<std::string>;

std::size_t log2_of(std::size_t n) {
  std::size_t bits = 0;
  while ((std::size_t{1} << bits) < n) ++bits;
  REQUIRE(std::size_t{1} << bits == n);
  return bits;
}

void append(Bits& bits, const std::string& field, std::size_t values) {
  for (std::size_t i = 0; i < log2_of(values); ++i) bits.push_back(field + std::to_string(i));
}

// By configs/dram/README.md, from the files: what can transfer at the same time first, and the channel behind
// the bits of the burst in its request.
Bits expected_bits(const std::string& preset, std::size_t channels, std::size_t bursts) {
  const Json device = json_of(kDramFolder / (preset + ".json")), o = device["organization"];
  std::string standard = device["standard"];
  std::transform(standard.begin(), standard.end(), standard.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const bool pseudo =
      json_of(kDramFolder / "standards" / (standard + ".json"))["rank_is"] == "pseudo-channel";
  Bits bits, channel;
  if (pseudo) append(bits, "rank", o["ranks"]);
  append(bits, "bank_group", o["bank_groups"]);
  append(bits, "column", o["columns"].get<std::size_t>() / o["burst_length"].get<std::size_t>());
  append(bits, "bank", o["banks_per_group"]);
  append(bits, "stack_id", o.value("stack_ids", std::size_t{1}));
  if (!pseudo) append(bits, "rank", o["ranks"]);
  append(bits, "row", o["rows"]);
  append(channel, "channel", channels);
  bits.insert(bits.begin() + static_cast<std::ptrdiff_t>(log2_of(bursts)), channel.begin(), channel.end());
  return bits;
}

// A part takes the lowest bits of its field that no part before it has taken.
Bits bits_of_mapping(const std::vector<DramAddressPart>& mapping) {
  Bits bits;
  std::map<std::string, std::uint32_t> taken;
  for (const DramAddressPart& part : mapping) {
    const std::string field(name_of(part.field));
    for (std::uint32_t i = 0; i < part.bits; ++i) bits.push_back(field + std::to_string(taken[field]++));
  }
  return bits;
}

std::size_t channel_of(const Bits& bits, std::uint64_t burst) {
  std::size_t channel = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i].starts_with("channel")) channel |= (burst >> i & 1) << std::stoul(bits[i].substr(7));
  }
  return channel;
}

// Requests at random places: all bursts of one are in one channel, and neighbours are in different channels.
void check_channels(const Bits& bits, std::size_t channels, std::size_t bursts) {
  std::mt19937_64 random(bits.size());
  const std::uint64_t requests = (std::uint64_t{1} << bits.size()) / bursts;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t first = random() % (requests / channels) * channels;
    std::set<std::size_t> used;
    for (std::uint64_t request = first; request < first + channels; ++request) {
      const std::size_t channel = channel_of(bits, request * bursts);
      used.insert(channel);
      for (std::uint64_t b = 1; b < bursts; ++b) CHECK(channel_of(bits, request * bursts + b) == channel);
    }
    CHECK(used.size() == channels);
  }
}

}  // namespace

TEST_CASE("the default mapping takes every bit once and keeps requests of any size in one channel") {
  int checked = 0;
  for (const std::string& preset : dram_presets(kDramFolder)) {
    const std::size_t burst = json_of(kDramFolder / (preset + ".json"))["organization"]["burst_bytes"];
    for (const std::size_t channels : {1u, 2u, 8u, 64u}) {
      for (std::size_t request = burst; request <= 256; request *= 2) {
        INFO(preset << " x " << channels << ", requests of " << request << " bytes");
        Json tree = with_preset(preset, {{"channels", channels}});
        tree["dram"]["burst_bytes"] = request;
        const Machine machine = parse(tree);
        const Bits bits = bits_of_mapping(machine.dram.system->mapping);
        CHECK(bits == expected_bits(preset, channels, request / burst));
        CHECK(std::set<std::string>(bits.begin(), bits.end()).size() == bits.size());
        CHECK(machine.dram.capacity_bytes == std::uint64_t{burst} << bits.size());
        check_channels(bits, channels, request / burst);
        ++checked;
      }
    }
  }
  CHECK(checked == 4 * (4 * 3 + 12 * 4));  // four presets have bursts of 64 bytes, twelve of 32
}

TEST_CASE("a request may be as long as a row, and longer ones leave the channel behind its bits") {
  DramSystem system;
  system.device = bundled_dram("hbm2-2000");
  system.channels = 8;
  // 2 pseudo-channels x 4 bank groups x 32 bursts = 256 bursts.
  for (std::uint32_t bursts = 1; bursts <= 1024; bursts *= 2) {
    INFO(bursts);
    system.mapping = default_mapping(system, bursts);
    CHECK(bits_of_mapping(system.mapping) == expected_bits("hbm2-2000", 8, bursts));
    CHECK(keeps_requests_whole(system, bursts));
    CHECK_FALSE(keeps_requests_whole(system, 2 * bursts));
  }
}

TEST_CASE("a mapping that is given is the same for requests of every size") {
  for (const int bytes : {32, 64, 128, 256}) {
    const Machine machine = parse(with("/dram/burst_bytes", bytes, DramModel::commands));
    CHECK(bits_of_mapping(machine.dram.system->mapping) ==
          bits_of_mapping(parse(complete(DramModel::commands)).dram.system->mapping));
  }
}

}  // namespace tokencycle::config
