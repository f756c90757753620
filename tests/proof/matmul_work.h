// SPDX-License-Identifier: Apache-2.0
// Random matmuls for an output-stationary array.
#pragma once

#include "proof/trial.h"

namespace tokencycle::proof {

// One to `passes` matmuls of all formats, shapes and depths.
void add_matmul_work(Trial& trial, Random& random, std::uint32_t passes);

}  // namespace tokencycle::proof
