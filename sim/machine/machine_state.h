// SPDX-License-Identifier: Apache-2.0
// What a person needs to see why nothing moves: every unit, what it has, and who waits for whom.
#pragma once

#include <string>
#include <vector>

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

struct CoreParts {
  const config::Machine& machine;
  const Fetch& fetch;
  const Decode& decode;
  const Dispatch& dispatch;
  std::vector<const LoadDma*> loads;
  std::vector<const StoreDma*> stores;
  std::vector<const Matrix*> matrices;
  std::vector<const Vector*> vectors;
  const Writeback& writeback;
  std::uint32_t core = 0;
};

// All texts begin with a line break and end without one. One line per unit of a core: its state and its
// queue.
std::string units_text(const CoreParts& parts);
// The instructions in flight with the stage that they have reached, in order of decoding.
std::string in_flight_text(const CoreParts& parts);
// One line per DRAM channel.
std::string channels_text(const config::Machine& machine, memory::Interconnect& memory);

}  // namespace tokencycle::machine
