// SPDX-License-Identifier: Apache-2.0
#include "cli/print/dram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace tokencycle::cli {

namespace {

using memory::DramBankCounters;
using memory::DramLatencies;

constexpr std::size_t kBanksShown = 16, kChannelsShown = 16;

double percent(double part, double whole) {
  return whole == 0 ? 0 : 100 * part / whole;
}
double percent(std::uint64_t part, std::uint64_t whole) {
  return percent(static_cast<double>(part), static_cast<double>(whole));
}

// 1234.56 -> "1,234.6"; not negative.
std::string with_tenths(double value) {
  const auto tenths = static_cast<std::uint64_t>(std::llround(value * 10));
  return fmt::format("{}.{}", with_separators(tenths / 10), tenths % 10);
}

std::string heading(const DramRun& run) {
  const config::DramSystem& s = run.system;
  const config::DramDevice& d = s.device;
  const std::string refresh = s.refresh == config::DramRefresh::none ? "no" : std::string(name_of(s.refresh));
  std::string out = fmt::format("memory   {}: {}, {} channel{} of {:.4g} GB/s, {}; {}, {} page, {} refresh\n",
                                s.name, d.standard, s.channels, s.channels == 1 ? "" : "s", d.peak_gb_per_s(),
                                bytes_text(s.channels * d.channel_bytes()), name_of(s.scheduler),
                                name_of(s.page_policy), refresh);
  const memory::DramReplayResult& r = run.result;
  const std::string sizes = r.sized != 0 ? "" : fmt::format(" of {} bytes", r.request_bytes);
  out += fmt::format("trace    {}: {} requests{}, {} reads and {} writes\n",
                     run.trace == "-" ? "standard input" : run.trace, with_separators(r.requests), sizes,
                     with_separators(r.reads.count()), with_separators(r.writes.count()));
  const memory::DramTraceForm& form = *run.form;
  const bool own = run.form == memory::dram_trace_forms().data();
  if (!own) out += fmt::format("form     {}: {}\n", form.name, form.line);
  if (!form.left_out.empty()) out += fmt::format("left out {}\n", form.left_out);
  if (run.wrapped != 0) {
    out += fmt::format("wrapped  {} addresses beyond the memory, taken modulo its size\n",
                       with_separators(run.wrapped));
  }
  return out + "\n";
}

std::string totals(const DramRun& run) {
  const memory::DramReplayResult& r = run.result;
  std::string out = fmt::format("time                 {:>16} clocks  {} ns at {:g} MHz\n",
                                with_separators(r.clocks), with_tenths(run.ns(static_cast<double>(r.clocks))),
                                1e6 / static_cast<double>(run.system.device.tck_ps));
  const double moved = run.gb_per_s(r.moved_bytes());
  out += fmt::format("bandwidth            {:>16.3f} GB/s    {:.1f} % of {:.4g} GB/s peak\n", moved,
                     percent(moved, run.peak_gb_per_s()), run.peak_gb_per_s());
  if (r.requested_bytes() != r.moved_bytes()) {
    out += fmt::format("requested            {:>16.3f} GB/s    {} bytes more were served in the queues\n",
                       run.gb_per_s(r.requested_bytes()),
                       with_separators(r.requested_bytes() - r.moved_bytes()));
  }
  if (r.useful_bytes != r.requested_bytes()) {
    out += fmt::format("useful               {:>16.3f} GB/s    of the requests' own bytes\n",
                       run.gb_per_s(r.useful_bytes));
  }
  out += fmt::format("stalled              {:>16} clocks  for room in a queue, before a request's arrival\n",
                     with_separators(r.stalled));
  return out;
}

enum class Unit { clocks, ns };

std::string latency_line(const char* what, const DramRun& run, const DramLatencies& l, Unit unit) {
  const auto shown = [&](memory::Clock clocks) {
    return unit == Unit::clocks ? with_separators(clocks) : with_tenths(run.ns(static_cast<double>(clocks)));
  };
  const double average = unit == Unit::clocks ? l.average() : run.ns(l.average());
  std::string out = fmt::format("  {:<18} {:>11} {:>9}", what, with_tenths(average), shown(l.min()));
  for (const DramPercentile& p : kDramPercentiles)
    out += fmt::format(" {:>9}", shown(l.percentile(p.percent)));
  return out + fmt::format(" {:>9}\n", shown(l.max()));
}

std::string latencies(const DramRun& run) {
  std::string out = fmt::format("\n{:<20} {:>11} {:>9}", "latency", "average", "min");
  for (const DramPercentile& p : kDramPercentiles) out += fmt::format(" {:>9}", p.heading);
  out += fmt::format(" {:>9}\n", "max");
  const memory::DramReplayResult& r = run.result;
  if (r.reads.count() != 0) {
    out += latency_line("read, clocks", run, r.reads, Unit::clocks);
    out += latency_line("read, ns", run, r.reads, Unit::ns);
  }
  if (r.writes.count() != 0) {
    out += latency_line("write, clocks", run, r.writes, Unit::clocks);
    out += latency_line("write, ns", run, r.writes, Unit::ns);
  }
  return out;
}

std::string shares_line(std::string_view what, std::uint64_t count, std::uint64_t whole) {
  return fmt::format("  {:<18} {:>16} {:>6.1f} %\n", what, with_separators(count), percent(count, whole));
}

std::string bursts(const DramRun& run) {
  const memory::DramCounters c = run.result.counters();
  const std::uint64_t all = run.result.bursts;
  std::string out = fmt::format("\nbursts               {:>16}\n", with_separators(all));
  out += shares_line("row hits", c.hits, all) + shares_line("row misses", c.misses, all) +
         shares_line("row conflicts", c.conflicts, all);
  if (c.forwarded != 0) out += shares_line("forwarded", c.forwarded, all);
  if (c.coalesced != 0) out += shares_line("coalesced", c.coalesced, all);
  return out;
}

std::string commands(const DramRun& run) {
  const memory::DramCounters counters = run.result.counters();
  std::string out = "\ncommands\n";
  for (std::size_t i = 0; i < counters.commands.size(); ++i) {
    if (counters.commands[i] == 0) continue;
    out += fmt::format("  {:<18} {:>16}\n", config::name_of(static_cast<config::DramCommand>(i)),
                       with_separators(counters.commands[i]));
  }
  out += fmt::format("  {:<18} {:>16}\n", "turnarounds", with_separators(counters.turnarounds));
  return out +
         fmt::format("  {:<18} {:>25.1f} % of the banks' time\n", "refreshing", run.refreshing_percent());
}

std::string bus(const DramRun& run) {
  const memory::DramReplayResult& r = run.result;
  const std::uint64_t total = r.clocks * r.channels.size();
  std::uint64_t busy = 0;
  std::array<std::uint64_t, memory::kDramWaits> idle{};
  for (const memory::DramChannelResult& c : r.channels) {
    busy += c.busy;
    for (std::size_t w = 0; w < idle.size(); ++w) idle[w] += c.idle[w];
  }
  std::string out = fmt::format("\ndata bus{}, clocks; idle ones by what the next transfer waits for\n",
                                r.channels.size() == 1 ? "" : "es");
  out += shares_line("transfer", busy, total);
  for (std::size_t w = idle.size(); w-- > 0;) {
    const auto wait = static_cast<memory::DramWait>(w);
    const std::string_view what = wait == memory::DramWait::nothing ? "no request" : memory::name_of(wait);
    if (idle[w] != 0) out += shares_line(what, idle[w], total);
  }
  return out + shares_line("total", total, total);
}

std::string energy(const DramRun& run) {
  const auto use = run.result.energy();
  const std::string& preset = run.system.device.name;
  if (!use) {
    return fmt::format("\nenergy    none of {}: {}\n", preset, run.system.device.energy_reason);
  }
  std::string out = fmt::format("\nenergy               {:>16} nJ  {:.2f} pJ/bit, {} mW\n",
                                with_tenths(use->total() / 1000), run.pj_per_bit(use->total()),
                                with_tenths(run.milliwatts(use->total())));
  for (const host::DramEnergyPart& p : host::kDramEnergyParts) {
    const double pj = (*use).*p.part;
    if (pj == 0) continue;
    out += fmt::format("  {:<18} {:>16} nJ {:>5.1f} %\n", p.heading, with_tenths(pj / 1000),
                       percent(pj, use->total()));
  }
  return out;
}

std::string channel_table(const DramRun& run) {
  const memory::DramReplayResult& r = run.result;
  if (r.channels.size() == 1) return {};
  std::string out = fmt::format("\n{:<12} {:>14} {:>14} {:>8} {:>8} {:>11} {:>11}\n", "channel", "reads",
                                "writes", "busy %", "hits %", "misses %", "conflicts %");
  const std::size_t shown = std::min(r.channels.size(), kChannelsShown);
  for (std::size_t n = 0; n < shown; ++n) {
    const memory::DramCounters& c = r.channels[n].counters;
    const std::uint64_t bursts = c.reads + c.writes;
    out += fmt::format("  {:<10} {:>14} {:>14} {:>8.1f} {:>8.1f} {:>11.1f} {:>11.1f}\n", n,
                       with_separators(c.reads), with_separators(c.writes),
                       percent(r.channels[n].busy, r.clocks), percent(c.hits, bursts),
                       percent(c.misses, bursts), percent(c.conflicts, bursts));
  }
  if (shown < r.channels.size()) {
    out += fmt::format("  and {} more; --json has all\n", r.channels.size() - shown);
  }
  return out;
}

// The banks with most bursts; of equals the first.
std::string bank_table(const DramRun& run) {
  struct Row {
    std::size_t channel, bank;
    const DramBankCounters* counters;
  };
  std::vector<Row> rows;
  for (std::size_t c = 0; c < run.result.channels.size(); ++c) {
    const auto& banks = run.result.channels[c].banks;
    for (std::size_t b = 0; b < banks.size(); ++b) {
      if (banks[b].reads + banks[b].writes != 0) rows.push_back({c, b, &banks[b]});
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.counters->reads + a.counters->writes > b.counters->reads + b.counters->writes;
  });
  const std::size_t used = rows.size();
  if (used > kBanksShown) rows.resize(kBanksShown);
  const config::DramDevice& d = run.system.device;
  std::string out =
      fmt::format("\n{:<26} {:>12} {:>12} {:>12} {:>10} {:>10} {:>10}\n", "channel rank group bank", "reads",
                  "writes", "hits", "misses", "conflicts", "ACT");
  for (const Row& row : rows) {
    const DramBankCounters& c = *row.counters;
    out +=
        fmt::format("{:>7} {:>4} {:>5} {:>4}    {:>12} {:>12} {:>12} {:>10} {:>10} {:>10}\n", row.channel,
                    row.bank / d.banks_of_rank(), row.bank / d.banks % d.groups_of_rank(), row.bank % d.banks,
                    with_separators(c.reads), with_separators(c.writes), with_separators(c.hits),
                    with_separators(c.misses), with_separators(c.conflicts), with_separators(c.activations));
  }
  if (used > rows.size()) out += fmt::format("  and {} more; --json has all\n", used - rows.size());
  return out;
}

}  // namespace

double DramRun::gb_per_s(std::uint64_t bytes) const {
  return result.clocks == 0 ? 0 : static_cast<double>(bytes) / ns(static_cast<double>(result.clocks));
}

double DramRun::refreshing_percent() const {
  double refreshing = 0, all = 0;
  for (const memory::DramChannelResult& c : result.channels) {
    refreshing += static_cast<double>(c.refreshing_clocks);
    all += static_cast<double>(c.banks.size()) * static_cast<double>(result.clocks);
  }
  return percent(refreshing, all);
}

double DramRun::pj_per_bit(double pj) const {
  return pj / (8.0 * system.device.burst_bytes * static_cast<double>(result.counters().moved()));
}

double DramRun::milliwatts(double pj) const {
  return result.clocks == 0 ? 0 : pj / ns(static_cast<double>(result.clocks));
}

std::string dram_table(const DramRun& run) {
  std::string out = heading(run) + totals(run) + latencies(run) + bursts(run) + commands(run) + bus(run) +
                    energy(run) + channel_table(run) + bank_table(run);
  out += fmt::format("\nsimulation  {:.2f} s, {:.2f} million requests per second\n", run.wall_seconds,
                     static_cast<double>(run.result.requests) * 1e-6 / run.wall_seconds);
  return out;
}

}  // namespace tokencycle::cli
