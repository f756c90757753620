// SPDX-License-Identifier: Apache-2.0
// A trial on the registers: every operand is put on its wire in its cycle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "proof/trial.h"
#include "support/array_registers.h"

namespace tokencycle::proof {

struct SlowRun {
  std::vector<test::Result> results;  // `pass` counts the multiplies or matmuls
  std::vector<std::byte> sums;        // the accumulator memory at the end
  std::string fault;                  // what went wrong in the registers; empty: nothing
};

// The instructions start in the given cycles, whether the registers bear it or not.
SlowRun run_slow(const Trial& trial, std::span<const std::uint64_t> starts);

}  // namespace tokencycle::proof
