// SPDX-License-Identifier: Apache-2.0
// The memory system inside a machine description (/dram/system).
#pragma once

#include "config/dram/system_reader.h"
#include "config/machine.h"

namespace tokencycle::config {

// Reads it into a machine whose other keys have been read, and checks what joins it with them. Does nothing
// for other memory models. Throws as read_dram_device does.
void read_machine_dram(const nlohmann::ordered_json& tree, const DramFolders& folders, Machine& machine,
                       Violations& violations);

}  // namespace tokencycle::config
