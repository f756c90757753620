// SPDX-License-Identifier: Apache-2.0
#include "observe/analysis/timeline.h"

#include <algorithm>

namespace tokencycle::observe {

namespace {

template <class Array>
void accumulate(Array& sum, const Array& more, bool subtract) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += subtract ? std::uint64_t{0} - more[i] : more[i];
}

}  // namespace

void Timeline::Counts::add(const Counts& more, bool subtract) {
  busy.resize(std::max(busy.size(), more.busy.size()));
  std::vector<std::uint64_t> others = more.busy;
  others.resize(busy.size());
  accumulate(busy, others, subtract);
  accumulate(bytes, more.bytes, subtract);
  accumulate(stack, more.stack, subtract);
}

Timeline::Timeline(UnitStatistics& units, const CycleStack& stack, std::uint32_t burst_bytes, Cycle start)
    : units_(units), stack_(stack), burst_bytes_(burst_bytes), start_(start), end_(start + kFirstInterval) {}

void Timeline::on_event(const Event& event) {
  advance(event.cycle);
  if (event.kind == EventKind::unit_state) return;
  const std::size_t write = event.detail & 1u;
  if (event.kind == EventKind::burst_issued) {
    ++on_way_[write];
  } else {
    --on_way_[write];
    moved_[write] += burst_bytes_;
  }
}

void Timeline::advance(Cycle now) {
  while (end_ <= now) {
    close_interval(end_);
    if (closed_.size() == kMostIntervals) join_neighbours();
    end_ = start_ + (closed_.size() + 1) * interval_;
  }
}

Timeline::Counts Timeline::counts_at(Cycle now) {
  units_.settle_all(now);
  Counts counts;
  const UnitList& list = units_.units();
  counts.busy.resize(list.of_core() + 1);
  for (std::size_t u = 0; u < list.size(); ++u) {
    counts.busy[std::min(u, list.of_core())] += units_.cycles(list[u], State::busy);
  }
  counts.bytes = moved_;
  counts.stack = stack_.so_far(now);
  return counts;
}

void Timeline::close_interval(Cycle end) {
  const Counts now = counts_at(end);
  Counts interval = now;
  interval.add(before_, true);
  closed_.push_back(interval);
  before_ = now;
}

void Timeline::join_neighbours() {
  for (std::size_t i = 0; i < closed_.size() / 2; ++i) {
    closed_[i] = closed_[2 * i];
    closed_[i].add(closed_[2 * i + 1]);
  }
  closed_.resize(closed_.size() / 2);
  interval_ *= 2;
}

std::vector<Timeline::Series> Timeline::series(Cycle end) {
  advance(end);
  std::vector<Counts> all = closed_;
  Counts rest = counts_at(end);
  for (std::size_t w = 0; w < 2; ++w) rest.bytes[w] += on_way_[w] * burst_bytes_;
  rest.add(before_, true);
  if (end > start_ + closed_.size() * interval_ || all.empty()) {
    all.push_back(rest);
  } else {
    all.back().add(rest);
  }
  std::vector<Series> list;
  const auto add = [&](std::string name, const char* unit, const auto& value_of) {
    Series series{std::move(name), unit, {}};
    for (const Counts& c : all) series.values.push_back(value_of(c));
    list.push_back(std::move(series));
  };
  const UnitList& units = units_.units();
  for (std::size_t u = 0; u <= units.of_core(); ++u) {
    const std::string name = u == units.of_core() ? "dram" : name_of(units[u]);
    add(name + ".busy", "cycles", [u](const Counts& c) { return c.busy[u]; });
  }
  add("dram.read_bytes", "bytes", [](const Counts& c) { return c.bytes[0]; });
  add("dram.write_bytes", "bytes", [](const Counts& c) { return c.bytes[1]; });
  const Stack total = stack_.so_far(end);
  for (std::size_t i = 0; i < total.size(); ++i) {
    if (total[i] == 0) continue;
    add("cause." + std::string(name_of(static_cast<Cause>(i))), "cycles",
        [i](const Counts& c) { return c.stack[i]; });
  }
  return list;
}

}  // namespace tokencycle::observe
