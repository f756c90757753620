// SPDX-License-Identifier: Apache-2.0
// The machine's matrix unit against the registers: the same values, and every result in the same cycle.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "machine/matrix/dataflow.h"
#include "proof/fast.h"
#include "proof/slow.h"
#include "proof/trial.h"

namespace tokencycle::proof {

// Everything, or only the totals that instructions want: hardware may show no more.
enum class Seen : std::uint8_t { everything, totals };

// Where each result of the trial leaves by the formulas, in any order.
std::vector<test::Result> expected_results(const Trial& trial, const machine::Dataflow& formulas,
                                           const FastRun& fast, Seen seen);

// What differs, with both waves around it; empty when nothing does. Values of the whole accumulator memory,
// cycles of every result and (where everything is seen) of every instruction's end.
std::string difference(const Trial& trial, const machine::Dataflow& formulas, const FastRun& fast,
                       const SlowRun& slow, Seen seen = Seen::everything);

// The registers and the rules of schedule.h, or the registers alone: they bear what starts too late.
enum class Judges : std::uint8_t { all, registers };

// Runs the trial both ways and compares. Formulas: those of the trial's machine, if none are given. The
// message begins with the trial.
using MakeFormulas = std::function<std::unique_ptr<machine::Dataflow>(const config::Matrix&)>;
std::string prove(const Trial& trial, const MakeFormulas& make = machine::make_dataflow,
                  Judges judges = Judges::all);

// Text waves of both around `cycle`: which row of which pass leaves each column.
std::string waves_around(std::uint64_t cycle, std::uint32_t column, std::span<const test::Result> expected,
                         std::span<const test::Result> registers);

}  // namespace tokencycle::proof
