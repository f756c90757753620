// SPDX-License-Identifier: Apache-2.0
// The config.json of a synthetic model: what its GGUF file would have been converted from.
#pragma once

#include <nlohmann/json.hpp>

#include "support/synthetic_model.h"

namespace tokencycle::test {

// Says torch_dtype bfloat16, whatever the formats of `spec`.
nlohmann::json config_json_of(const SyntheticModel& spec);

// The text on disk.
TemporaryFile write_config_json(const nlohmann::json& config);

}  // namespace tokencycle::test
