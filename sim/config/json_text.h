// SPDX-License-Identifier: Apache-2.0
// JSON text of unknown origin to a tree: bounded, without duplicate keys, errors with line and column.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "config/violations.h"

namespace tokencycle::config {

inline constexpr std::size_t kMaxTextBytes = 1 << 20;
inline constexpr std::size_t kMaxDepth = 16;  // nested objects and arrays; a description needs 4

// Parses `text`. Duplicate keys go to `violations` (the first value stays in the tree). Throws
// ConfigurationError for a syntax error, a number beyond binary64, or a text too long or too deep.
nlohmann::ordered_json parse_text(const std::string& text, Violations& violations);

// `key` as part of a JSON pointer, fit for a message.
std::string pointer_token(const std::string& key);

}  // namespace tokencycle::config
