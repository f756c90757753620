// SPDX-License-Identifier: Apache-2.0
// A trial on the machine's own matrix unit.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "host/gemm/array_alone.h"
#include "machine/matrix/dataflow.h"
#include "proof/trial.h"

namespace tokencycle::proof {

struct FastRun {
  std::vector<host::ArrayAlone::Times> times;  // by instruction
  std::vector<std::byte> sums;                 // the accumulator memory at the end
};

// With the formulas of `dataflow` if given.
FastRun run_fast(const Trial& trial, std::unique_ptr<machine::Dataflow> dataflow = nullptr);

}  // namespace tokencycle::proof
