// SPDX-License-Identifier: Apache-2.0
// The keys of a DRAM system, in a file of its own or inside a machine description.
#pragma once

#include <filesystem>

#include "config/dram/json.h"
#include "config/dram/system.h"

namespace tokencycle::config {

// Where presets are: first beside the description, then in the others in their order.
struct DramFolders {
  std::filesystem::path beside;
  std::vector<std::filesystem::path> presets;
};

// Reads everything from "preset" to the queues, and reports what is left over. Without a mapping requests of
// `request_bytes` stay in one channel. What is wrong with the object or with the text of a preset's files
// goes to its violations, and `system` is not whole then; returns whether it has the preset's device. Throws
// IoError for files that cannot be read.
bool read_system_object(JsonObject& object, const DramFolders& folders, std::uint32_t request_bytes,
                        DramSystem& system);

// The same keys with the system's values, defaults too.
nlohmann::ordered_json system_object(const DramSystem& system);

}  // namespace tokencycle::config
