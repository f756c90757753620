// SPDX-License-Identifier: Apache-2.0
// The JSON tree against the table of fields: unknown keys, missing keys, types, ranges.
#pragma once

#include <nlohmann/json.hpp>

#include "config/machine.h"
#include "config/violations.h"

namespace tokencycle::config {

// Reports keys that the table does not know (with the nearest known name), sections that are no objects,
// and sections that are missing although a key in them is required.
void check_keys(const nlohmann::ordered_json& tree, Violations& violations);

// The tree's values in a Machine, without digest. What is wrong is reported and left at its default.
Machine read_fields(const nlohmann::ordered_json& tree, Violations& violations);

}  // namespace tokencycle::config
