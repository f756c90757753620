// SPDX-License-Identifier: Apache-2.0
// What a person needs to see why nothing moves: every unit, what it has, and who waits for whom.
#pragma once

#include <string>

#include "machine/dma/load.h"
#include "machine/dma/store.h"
#include "machine/front_end/decode.h"
#include "machine/front_end/dispatch.h"
#include "machine/front_end/fetch.h"
#include "machine/front_end/writeback.h"
#include "machine/matrix/matrix.h"
#include "machine/vector/vector.h"
#include "memory/interconnect.h"

namespace tokencycle::machine {

struct MachineParts {
  const config::Machine& machine;
  const Fetch& fetch;
  const Decode& decode;
  const Dispatch& dispatch;
  const LoadDma& load;
  const StoreDma& store;
  const Matrix& matrix;
  const Vector& vector;
  const Writeback& writeback;
  const memory::Interconnect& memory;
};

// A line a unit and DRAM channel: its state and its queue; then the instructions in flight with the stage
// that they have reached, in order of decoding. Begins with a line break and ends without one.
std::string state_text(const MachineParts& parts);

}  // namespace tokencycle::machine
