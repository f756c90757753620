// SPDX-License-Identifier: Apache-2.0
#include "cli/print/dram.h"

namespace tokencycle::cli {

namespace {

using Json = nlohmann::ordered_json;
using memory::DramChannelResult;

Json memory_json(const config::DramSystem& s) {
  const config::DramDevice& d = s.device;
  return {{"name", s.name},
          {"preset", d.name},
          {"standard", d.standard},
          {"channels", s.channels},
          {"ranks", d.ranks},
          {"bank_groups", d.groups_of_rank()},
          {"banks_per_group", d.banks},
          {"capacity_bytes", s.channels * d.channel_bytes()},
          {"burst_bytes", d.burst_bytes},
          {"tck_ps", d.tck_ps},
          {"scheduler", name_of(s.scheduler)},
          {"page_policy", name_of(s.page_policy)},
          {"refresh", name_of(s.refresh)}};
}

// In clocks; null where there was no request.
Json latency_clocks_json(const memory::DramLatencies& latencies) {
  const auto of = [&](memory::Clock clocks) { return latencies.count() == 0 ? Json() : Json(clocks); };
  Json out = {{"requests", latencies.count()},
              {"average", latencies.count() == 0 ? Json() : Json(latencies.average())},
              {"min", of(latencies.min())}};
  for (const DramPercentile& p : kDramPercentiles) out[p.name] = of(latencies.percentile(p.percent));
  out["max"] = of(latencies.max());
  return out;
}

Json latency_ns_json(const memory::DramLatencies& latencies, double ns_of_clock) {
  Json out = latency_clocks_json(latencies);
  for (auto& [name, value] : out.items()) {
    if (name != "requests" && !value.is_null()) value = value.get<double>() * ns_of_clock;
  }
  return out;
}

// Into `out`: what there is of a channel and of the whole memory.
void add_counters(Json& out, const memory::DramCounters& c, const config::DramDevice& device) {
  out["read_bursts"] = c.reads;
  out["write_bursts"] = c.writes;
  out["row_hits"] = c.hits;
  out["row_misses"] = c.misses;
  out["row_conflicts"] = c.conflicts;
  out["forwarded"] = c.forwarded;
  out["coalesced"] = c.coalesced;
  out["turnarounds"] = c.turnarounds;
  Json commands = Json::object();
  for (std::size_t i = 0; i < c.commands.size(); ++i) {
    const auto command = static_cast<config::DramCommand>(i);
    if (device.exists(command)) commands[std::string(config::name_of(command))] = c.commands[i];
  }
  out["commands"] = commands;
}

Json idle_json(const DramChannelResult& c) {
  Json idle = Json::object();
  for (std::size_t w = 0; w < c.idle.size(); ++w) {
    idle[std::string(memory::name_of(static_cast<memory::DramWait>(w)))] = c.idle[w];
  }
  return idle;
}

Json energy_json(const std::optional<memory::DramEnergyUse>& energy) {
  if (!energy) return nullptr;
  Json out = {{"total_pj", energy->total()}};
  host::add_energy_parts(out, *energy);
  return out;
}

Json banks_json(const DramChannelResult& channel, const config::DramDevice& d) {
  Json banks = Json::array();
  for (std::uint32_t b = 0; b < channel.banks.size(); ++b) {
    const memory::DramBankCounters& c = channel.banks[b];
    banks.push_back({{"rank", b / d.banks_of_rank()},
                     {"bank_group", b / d.banks % d.groups_of_rank()},
                     {"bank", b % d.banks},
                     {"read_bursts", c.reads},
                     {"write_bursts", c.writes},
                     {"row_hits", c.hits},
                     {"row_misses", c.misses},
                     {"row_conflicts", c.conflicts},
                     {"activations", c.activations}});
  }
  return banks;
}

Json channel_json(const DramChannelResult& channel, std::uint32_t number, const config::DramDevice& device) {
  Json out = {{"channel", number}};
  add_counters(out, channel.counters, device);
  out["bus"] = {{"busy_clocks", channel.busy},
                {"transfer_clocks", channel.transfers},
                {"idle_clocks", idle_json(channel)}};
  out["open_bank_clocks"] = channel.open_bank_clocks;
  out["refreshing_bank_clocks"] = channel.refreshing_clocks;
  out["energy"] = energy_json(channel.energy);
  out["banks"] = banks_json(channel, device);
  return out;
}

}  // namespace

Json dram_json(const DramRun& run) {
  const memory::DramReplayResult& r = run.result;
  const double moved = run.gb_per_s(r.moved_bytes());
  const double share = run.peak_gb_per_s() == 0 ? 0 : 100 * moved / run.peak_gb_per_s();
  Json out = {
      {"schema", "tokencycle-dram-replay-2"},
      {"version", TOKENCYCLE_VERSION},
      {"memory", memory_json(run.system)},
      {"trace", run.trace},
      {"trace_form", run.form->name},
      {"wrapped", run.wrapped},
      {"request_bytes", r.sized != 0 ? Json() : Json(r.request_bytes)},
      {"requests", r.requests},
      {"moved_bytes", r.moved_bytes()},
      {"requested_bytes", r.requested_bytes()},
      {"useful_bytes", r.useful_bytes},
      {"clocks", r.clocks},
      {"ns", run.ns(static_cast<double>(r.clocks))},
      {"stalled_clocks", r.stalled},
      {"gb_per_s", moved},
      {"requested_gb_per_s", run.gb_per_s(r.requested_bytes())},
      {"useful_gb_per_s", run.gb_per_s(r.useful_bytes)},
      {"peak_gb_per_s", run.peak_gb_per_s()},
      {"peak_percent", share},
      {"latency_clocks", {{"read", latency_clocks_json(r.reads)}, {"write", latency_clocks_json(r.writes)}}},
      {"latency_ns",
       {{"read", latency_ns_json(r.reads, run.ns(1))}, {"write", latency_ns_json(r.writes, run.ns(1))}}}};
  add_counters(out, r.counters(), run.system.device);
  out["refreshing_percent"] = run.refreshing_percent();
  const auto energy = r.energy();
  out["energy"] = energy_json(energy);
  if (!energy) out["energy_reason"] = run.system.device.energy_reason;
  if (energy) {
    out["energy"]["pj_per_bit"] = run.pj_per_bit(energy->total());
    out["energy"]["average_mw"] = run.milliwatts(energy->total());
    out["energy"]["source"] = run.system.device.energy->source;
  }
  Json channels = Json::array();
  for (std::uint32_t c = 0; c < r.channels.size(); ++c) {
    channels.push_back(channel_json(r.channels[c], c, run.system.device));
  }
  out["channels"] = channels;
  out["host"] = {{"wall_seconds", run.wall_seconds},
                 {"requests_per_second", static_cast<double>(r.requests) / run.wall_seconds}};
  return out;
}

}  // namespace tokencycle::cli
