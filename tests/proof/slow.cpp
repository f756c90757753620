// SPDX-License-Identifier: Apache-2.0
#include "proof/slow.h"

#include <algorithm>
#include <cstring>

#include "proof/drive.h"

namespace tokencycle::proof {

namespace {

test::ArrayShape shape_of(const Trial& trial) {
  const config::Matrix& m = trial.matrix();
  return {m.rows, m.columns, m.scale_latency_cycles,
          static_cast<std::uint32_t>(trial.regions.size()) * kRegionRows};
}

template <class Registers>
void clock_through(Registers& array, const Stimulus<Registers>& stimulus) {
  const typename Registers::Inputs none = array.no_inputs();
  auto next = stimulus.begin();
  while (next != stimulus.end() || !array.empty()) {
    const bool due = next != stimulus.end() && next->first == array.cycle();
    array.clock(due ? next->second : none);
    if (due) ++next;
  }
}

// The accumulator memory as the instructions address it.
template <class Read>
std::vector<std::byte> gather_sums(const Trial& trial, Read read) {
  std::vector<std::byte> sums(trial.regions.size() * trial.region_bytes());
  for (std::uint32_t r = 0; r < trial.regions.size(); ++r) {
    for (std::uint32_t m = 0; m < trial.regions[r].lines; ++m) {
      for (std::uint32_t n = 0; n < trial.regions[r].columns; ++n) {
        const std::uint32_t bits = read(r * kRegionRows + m, n);
        std::memcpy(&sums[trial.place(r, m, n)], &bits, sizeof bits);
      }
    }
  }
  return sums;
}

template <class Registers, class Drive, class Read>
SlowRun run(const Trial& trial, Drive drive, Read read) {
  Registers array(shape_of(trial));
  SlowRun run;
  try {
    clock_through(array, drive(array));
  } catch (const test::RegisterFault& fault) {
    run.fault = fault.what();
  }
  run.results = array.results();
  run.sums = gather_sums(trial, [&](std::uint32_t line, std::uint32_t n) { return read(array, line, n); });
  return run;
}

}  // namespace

SlowRun run_slow(const Trial& trial, std::span<const std::uint64_t> starts) {
  const auto below = [](auto& array, std::uint32_t line, std::uint32_t n) {
    return array.tail(n).read(line);
  };
  switch (trial.matrix().dataflow) {
    case config::Dataflow::output_stationary:
      return run<test::OutputRegisters>(
          trial, [&](const auto& array) { return drive_output(trial, array, starts); },
          [](auto& array, std::uint32_t line, std::uint32_t n) { return array.memory(line, n); });
    case config::Dataflow::dot_product:
      return run<test::DotRegisters>(
          trial, [&](const auto&) { return drive_dot(trial, starts); }, below);
    default:
      return run<test::SystolicRegisters>(
          trial, [&](const auto& array) { return drive_systolic(trial, array, starts); }, below);
  }
}

}  // namespace tokencycle::proof
