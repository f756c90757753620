// SPDX-License-Identifier: Apache-2.0
// When the array's description lets each instruction of a trial start.
#pragma once

#include <string>

#include "proof/fast.h"
#include "proof/trial.h"

namespace tokencycle::proof {

// The first instruction that did not start in the first cycle that the description allows after those before
// it; empty when there is none. Written from the description alone, not from machine::Dataflow.
std::string starts_differ(const Trial& trial, const FastRun& fast);

}  // namespace tokencycle::proof
