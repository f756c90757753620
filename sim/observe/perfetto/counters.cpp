// SPDX-License-Identifier: Apache-2.0
#include "observe/perfetto/counters.h"

#include <utility>

namespace tokencycle::observe {

PerfettoCounters::PerfettoCounters(PerfettoFile& file, std::uint32_t root, std::uint32_t rank,
                                   double clock_ghz, std::uint32_t interval)
    : clock_ghz_(clock_ghz), interval_(interval) {
  struct Counter {
    std::string_view name, unit, description;
  };
  static constexpr std::array<Counter, kCounters> kTable = {{
      {"dram.read", "GB/s", "bytes read that their requester uses, averaged over an interval"},
      {"dram.write", "GB/s", "bytes written, averaged over an interval"},
      {"matrix0.busy", "%", "cycles of an interval in which rows enter the array"},
      {"vector0.busy", "%", "cycles of an interval in which the vector unit works"},
  }};
  tracks_.reserve(kCounters);
  for (const Counter& c : kTable) {
    tracks_.emplace_back(file, PerfettoTrackOptions{c.name, root, rank++, c.description, c.unit});
  }
}

void PerfettoCounters::begin(Cycle start) {
  if (start_ != kNever) return;
  start_ = start;
  end_ = start + interval_;
  for (Unit& u : units_) u.settle(start);
}

void PerfettoCounters::close_intervals(Cycle now, const WindowGate& gate) {
  while (due(now)) close_interval(end_, gate);
}

void PerfettoCounters::finish(Cycle end, const WindowGate& gate) {
  if (start_ == kNever) return;
  close_intervals(end, gate);
  if (end > start_) close_interval(end, gate);
  for (std::size_t i = 0; i < kCounters; ++i) write(i, 0);
}

void PerfettoCounters::close_interval(Cycle end, const WindowGate& gate) {
  const bool wanted = start_ < gate.end() && gate.begin() < end;
  const auto cycles = static_cast<double>(end.value - start_.value);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    const auto bytes = static_cast<double>(std::exchange(bytes_[i], 0));
    write(i, wanted ? bytes / cycles * clock_ghz_ : 0);
  }
  for (std::size_t i = 0; i < units_.size(); ++i) {
    units_[i].settle(end);
    const auto busy = static_cast<double>(std::exchange(units_[i].cycles, 0));
    write(bytes_.size() + i, wanted ? 100 * busy / cycles : 0);
  }
  start_ = end;
  end_ = end + interval_;
}

void PerfettoCounters::write(std::size_t counter, double value) {
  if (value == last_[counter]) return;
  last_[counter] = value;
  tracks_[counter].counter(start_, value);
}

}  // namespace tokencycle::observe
