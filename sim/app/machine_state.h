// SPDX-License-Identifier: Apache-2.0
// What a person needs to see why nothing moves: every unit, what it has, and who waits for whom.
#pragma once

#include <string>

#include "core/decode.h"
#include "core/dispatch.h"
#include "core/fetch.h"
#include "core/load_dma.h"
#include "core/matrix.h"
#include "core/store_dma.h"
#include "core/vector.h"
#include "core/writeback.h"
#include "memory/interconnect.h"

namespace tokencycle::app {

struct MachineParts {
  const config::Machine& machine;
  const core::Fetch& fetch;
  const core::Decode& decode;
  const core::Dispatch& dispatch;
  const core::LoadDma& load;
  const core::StoreDma& store;
  const core::Matrix& matrix;
  const core::Vector& vector;
  const core::Writeback& writeback;
  const memory::Interconnect& memory;
};

// A line a unit and DRAM channel: its state and its queue; then the instructions in flight with the stage
// that they have reached, in order of decoding. Begins with a line break and ends without one.
std::string state_text(const MachineParts& parts);

}  // namespace tokencycle::app
