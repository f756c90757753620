// SPDX-License-Identifier: Apache-2.0
#include "config/dram/rules.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <utility>

namespace tokencycle::config {
namespace {

// tCK is a whole number of picoseconds, so the rate that it gives is not quite the nominal one.
constexpr double kRateTolerance = 0.003;

using Clocks = std::map<std::string, std::uint32_t>;

// The first must not exceed the second.
constexpr std::array<std::pair<const char*, const char*>, 9> kOrdered = {{{"nCCD_S", "nCCD_L"},
                                                                          {"nRRD_S", "nRRD_L"},
                                                                          {"nWTR_S", "nWTR_L"},
                                                                          {"nRP", "nRPab"},
                                                                          {"nRFCpb", "nRFC"},
                                                                          {"nREFIpb", "nREFI"},
                                                                          {"nBL", "nCCD_S"},
                                                                          {"nBL", "nBLmax"},
                                                                          {"nRRD_S", "nFAW"}}};
// A refresh must be over before the next one is due.
constexpr std::array<std::pair<const char*, const char*>, 3> kRefreshes = {
    {{"nRFC", "nREFI"}, {"nRREFD", "nREFIpb"}, {"nPBR2PBR", "nREFIpb"}}};

}  // namespace

DramOrganization read_organization(JsonObject& preset) {
  JsonObject object = preset.take_object("organization");
  DramOrganization o;
  // Powers of two where the parts of an address are cut out of its bits.
  const auto take = [&](const char* name, std::uint64_t& out, const WholeRange& range) {
    out = object.take_whole(name, range).value_or(out);
  };
  take("channel_width_bits", o.channel_width_bits, {4, 1024, "bits"});
  take("rank_width_bits", o.rank_width_bits, {4, 1024, "bits"});
  take("device_width_bits", o.device_width_bits, {4, 1024, "bits"});
  take("device_gbit", o.device_gbit, {1, 1024, "Gbit"});
  take("devices_per_rank", o.devices_per_rank, {1, 256, "devices"});
  take("ranks", o.ranks, {1, 16, "ranks or pseudo-channels", true});
  o.stack_ids =
      object.take_whole("stack_ids", {1, 4, "stack IDs of a rank or pseudo-channel", true}, Need::optional)
          .value_or(1);
  take("bank_groups", o.bank_groups, {1, 32, "bank groups of a rank, or of a stack ID", true});
  take("banks_per_group", o.banks_per_group, {1, 32, "banks of a bank group", true});
  take("rows", o.rows, {1, 1 << 20, "rows of a bank", true});
  take("columns", o.columns, {1, 1 << 14, "columns of a row"});
  take("burst_length", o.burst_length, {1, 256, "beats"});
  take("burst_bytes", o.burst_bytes, {1, 4096, "bytes", true});
  o.metadata_bits =
      object.take_whole("metadata_bits", {0, 4096, "bits of a burst beside its data"}, Need::optional)
          .value_or(0);
  take("channels_per_device", o.channels_per_device, {1, 64, "channels"});
  take("capacity_mib", o.capacity_mib, {1, 1 << 24, "MiB"});
  object.take_text("column_is", 256);
  object.finish();
  return o;
}

void check_organization(const DramOrganization& o, const DramStandard& standard, const DramClocking& clock,
                        Violations& violations) {
  const auto complain = [&](const char* key, const std::string& what) {
    violations.add(std::string("/organization/") + key, what);
  };
  const std::uint64_t bits = o.ranks * o.stack_ids * o.bank_groups * o.banks_per_group * o.rows *
                             (o.columns / o.burst_length) * o.burst_bytes * 8;  // at most 2^60
  if (bits != o.capacity_mib << 23) {
    complain("capacity_mib",
             fmt::format("{} MiB, but ranks x stack_ids x bank_groups x banks_per_group x rows x bursts of "
                         "a row x burst_bytes are {} MiB; correct one of them",
                         o.capacity_mib, static_cast<double>(bits) / 0x1p23));
  }
  if (bits * o.channels_per_device != (o.devices() * o.device_gbit) << 30) {
    complain("device_gbit",
             fmt::format("{} devices of {} Gbit do not make {} channels of {} MiB; correct one of them",
                         o.devices(), o.device_gbit, o.channels_per_device, o.capacity_mib));
  }
  if (o.rank_width_bits * o.burst_length != 8 * o.burst_bytes + o.metadata_bits) {
    complain(
        "burst_bytes",
        fmt::format("{}, but {} beats of rank_width_bits {} are {} bits{}", o.burst_bytes, o.burst_length,
                    o.rank_width_bits, o.burst_length * o.rank_width_bits,
                    o.metadata_bits == 0 ? "" : fmt::format(", {} of them metadata_bits", o.metadata_bits)));
  }
  if (o.device_width_bits * o.devices_per_rank != o.channel_width_bits) {
    complain("device_width_bits", fmt::format("{} devices of {} bits are not channel_width_bits {}",
                                              o.devices_per_rank, o.device_width_bits, o.channel_width_bits));
  }
  const std::uint64_t parts = standard.pseudo_channels ? o.ranks : 1;
  if (o.rank_width_bits * parts != o.channel_width_bits) {
    complain("rank_width_bits",
             fmt::format("{}, but channel_width_bits {} {}", o.rank_width_bits, o.channel_width_bits,
                         standard.pseudo_channels ? fmt::format("are shared by {} pseudo-channels", parts)
                                                  : std::string("are those of every rank")));
  }
  if (o.columns % o.burst_length != 0) {
    complain("columns", fmt::format("{} are no whole number of bursts of {}", o.columns, o.burst_length));
  } else if (!std::has_single_bit(o.columns / o.burst_length)) {
    complain("columns", fmt::format("{} are {} bursts of {}; the bursts of a row must be a power of two",
                                    o.columns, o.columns / o.burst_length, o.burst_length));
  }
  if (o.stack_ids > 1 && standard.reach != DramReach::one_group) {
    complain("stack_ids",
             fmt::format("{}, but REFpb of {} refreshes several bank groups, and which of another "
                         "stack ID is not known; remove it",
                         o.stack_ids, standard.name));
  }
  if (standard.reach == DramReach::two_groups && o.bank_groups < 2) {
    complain("bank_groups",
             fmt::format("{}, but REFpb of {} refreshes two; give 2 or more", o.bank_groups, standard.name));
  }
  const double rate = clock.beats_per_clock * 1e6 / static_cast<double>(clock.tck_ps);
  if (std::abs(rate / clock.data_rate_mt_s - 1) > kRateTolerance) {
    violations.add("/clock/tck_ps",
                   fmt::format("{} ps with {} beats a clock are {:.1f} MT/s, data_rate_mt_s is {}; "
                               "they may differ by 0.3 %",
                               clock.tck_ps, clock.beats_per_clock, rate, clock.data_rate_mt_s));
  }
}

void check_times(const Clocks& clocks, const std::map<std::string, std::string>& places,
                 Violations& violations) {
  const auto both = [&](const char* a, const char* b) { return clocks.contains(a) && clocks.contains(b); };
  for (const auto& [small, large] : kOrdered) {
    if (!both(small, large) || clocks.at(small) <= clocks.at(large)) continue;
    violations.add(places.at(small), fmt::format("{} clocks exceed {}, {} clocks; correct one of them",
                                                 clocks.at(small), large, clocks.at(large)));
  }
  for (const auto& [busy, interval] : kRefreshes) {
    if (!both(busy, interval) || clocks.at(busy) < clocks.at(interval)) continue;
    violations.add(places.at(interval),
                   fmt::format("{} clocks between refreshes that take {}, {} clocks; nothing else "
                               "could be done",
                               clocks.at(interval), busy, clocks.at(busy)));
  }
  if (!both("nRAS", "nRP") || !clocks.contains("nRC")) return;
  const std::uint32_t least = clocks.at("nRAS") + clocks.at("nRP");
  if (clocks.at("nRC") < least) {
    violations.add(places.at("nRC"),
                   fmt::format("{} clocks are below nRAS + nRP, {} clocks; allowed: {} or more",
                               clocks.at("nRC"), least, least));
  }
}

}  // namespace tokencycle::config
