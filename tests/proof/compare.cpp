// SPDX-License-Identifier: Apache-2.0
#include "proof/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "proof/drive.h"
#include "proof/schedule.h"
#include "proof/waves.h"

namespace tokencycle::proof {

using test::Result;

namespace {

std::vector<std::uint64_t> starts_of(const FastRun& fast) {
  std::vector<std::uint64_t> starts;
  for (const auto& times : fast.times) starts.push_back(times.started);
  return starts;
}

auto key(const Result& r) {
  return std::tuple(r.pass, r.row, r.column);
}

std::string cycles_differ(std::span<const Result> expected, std::span<const Result> registers) {
  std::map<decltype(key({})), std::uint64_t> left;
  for (const Result& r : registers) {
    if (!left.emplace(key(r), r.cycle).second) {
      return fmt::format("pass {} row {} column {} leaves the registers twice\n", r.pass, r.row, r.column);
    }
  }
  for (const Result& e : expected) {
    const auto found = left.find(key(e));
    if (found != left.end() && found->second == e.cycle) continue;
    const std::string when = found == left.end() ? "never" : fmt::format("in cycle {}", found->second);
    return fmt::format("pass {} row {} column {}: formulas say cycle {}, it leaves the registers {}\n{}",
                       e.pass, e.row, e.column, e.cycle, when,
                       waves_around(e.cycle, e.column, expected, registers));
  }
  if (expected.size() == registers.size()) return {};
  return fmt::format("{} results by the formulas, {} by the registers\n", expected.size(), registers.size());
}

std::string ends_differ(const Trial& trial, const FastRun& fast, std::span<const Result> expected,
                        std::span<const Result> registers) {
  const std::vector<Wave> waves = waves_of(trial);
  std::vector<Result> last(waves.size());
  for (const Result& r : registers) {
    if (r.cycle >= last[r.pass].cycle) last[r.pass] = r;
  }
  for (std::size_t pass = 0; pass < waves.size(); ++pass) {
    const std::uint64_t finished = fast.times[waves[pass].number].finished;
    if (finished == last[pass].cycle) continue;
    return fmt::format("pass {} finished in cycle {}, its wave has left the registers in {}\n{}", pass,
                       finished, last[pass].cycle,
                       waves_around(finished, last[pass].column, expected, registers));
  }
  return {};
}

std::string values_differ(const Trial& trial, const FastRun& fast, const SlowRun& slow,
                          std::span<const Result> expected) {
  for (std::uint32_t r = 0; r < trial.regions.size(); ++r) {
    for (std::uint32_t m = 0; m < trial.regions[r].lines; ++m) {
      for (std::uint32_t n = 0; n < trial.regions[r].columns; ++n) {
        const std::size_t at = trial.place(r, m, n);
        std::uint32_t a = 0, b = 0;
        std::memcpy(&a, &fast.sums[at], sizeof a);
        std::memcpy(&b, &slow.sums[at], sizeof b);
        if (a == b) continue;
        const auto wrote = std::find_if(slow.results.rbegin(), slow.results.rend(), [&](const Result& x) {
          return x.column == n && x.leaves == test::Leaves::total && x.bits == b;
        });
        const std::uint64_t cycle = wrote == slow.results.rend() ? 0 : wrote->cycle;
        return fmt::format(
            "sum at byte {} (row {}, column {}): {:08x} by the matrix unit, {:08x} by the registers\n{}", at,
            m, n, a, b, waves_around(cycle, n, expected, slow.results));
      }
    }
  }
  return {};
}

}  // namespace

std::vector<Result> expected_results(const Trial& trial, const machine::Dataflow& formulas,
                                     const FastRun& fast, Seen seen) {
  std::vector<Result> expected;
  const std::vector<Wave> waves = waves_of(trial);
  for (std::uint32_t pass = 0; pass < waves.size(); ++pass) {
    const Wave& wave = waves[pass];
    const bool all = seen == Seen::everything;
    const std::uint32_t rows = all && !formulas.holds_tile() ? trial.matrix().rows : wave.work->rows;
    const std::uint32_t columns = all ? trial.matrix().columns : wave.work->cols;
    std::vector<std::uint64_t> arrivals;
    if (formulas.holds_tile()) arrivals = row_arrivals(trial, wave);
    for (std::uint32_t m = 0; m < rows; ++m) {
      for (std::uint32_t c = 0; c < columns; ++c) {
        // The formulas are those of rows that follow each other by a step.
        const std::uint64_t later = arrivals.empty() ? 0 : arrivals[m] - m * wave.step;
        const std::uint64_t entered = fast.times[wave.number].started + later;
        expected.push_back({entered + formulas.result_cycles(wave.shape(), m, c), pass, m, c, 0, {}});
      }
    }
  }
  return expected;
}

std::string difference(const Trial& trial, const machine::Dataflow& formulas, const FastRun& fast,
                       const SlowRun& slow, Seen seen) {
  const std::vector<Result> expected = expected_results(trial, formulas, fast, seen);
  if (!slow.fault.empty()) {
    const std::uint64_t cycle = slow.results.empty() ? 0 : slow.results.back().cycle;
    const std::uint32_t column = slow.results.empty() ? 0 : slow.results.back().column;
    return slow.fault + '\n' + waves_around(cycle, column, expected, slow.results);
  }
  std::string what = cycles_differ(expected, slow.results);
  if (what.empty() && seen == Seen::everything) what = ends_differ(trial, fast, expected, slow.results);
  if (what.empty()) what = values_differ(trial, fast, slow, expected);
  return what;
}

std::string prove(const Trial& trial, const MakeFormulas& make, Judges judges) {
  const std::unique_ptr<machine::Dataflow> formulas = make(trial.matrix());
  const FastRun fast = run_fast(trial, make(trial.matrix()));
  std::string what = judges == Judges::all ? starts_differ(trial, fast) : std::string();
  if (what.empty()) what = difference(trial, *formulas, fast, run_slow(trial, starts_of(fast)));
  if (what.empty()) return {};
  std::string times;
  for (std::size_t i = 0; i < fast.times.size(); ++i) {
    times += fmt::format("{:4} {} .. {}\n", i, fast.times[i].started, fast.times[i].finished);
  }
  return describe(trial) + "in cycles\n" + times + what;
}

std::string waves_around(std::uint64_t cycle, std::uint32_t column, std::span<const Result> expected,
                         std::span<const Result> registers) {
  const std::uint64_t from = cycle < 8 ? 0 : cycle - 8, to = from + 20;
  std::string text = fmt::format("{:<20}", "cycle");
  for (std::uint64_t t = from; t < to; ++t) text += fmt::format("{:>8}", t);
  const auto line = [&](const std::string& name, std::uint32_t c, std::span<const Result> results) {
    std::vector<std::string> slots(to - from, ".");
    for (const Result& r : results) {
      if (r.column != c || r.cycle < from || r.cycle >= to) continue;
      std::string& slot = slots[r.cycle - from];
      slot = slot == "." ? fmt::format("{}:{}", r.pass, r.row) : slot + "+";
    }
    text += fmt::format("\n{:<20}", name);
    for (const std::string& slot : slots) text += fmt::format("{:>8}", slot);
  };
  for (std::uint32_t c = column < 2 ? 0 : column - 2; c < column + 3; ++c) {
    line(fmt::format("column {} formulas", c), c, expected);
    line(fmt::format("column {} registers", c), c, registers);
  }
  return text + "\n(pass:row that leaves; + more than one)\n";
}

}  // namespace tokencycle::proof
