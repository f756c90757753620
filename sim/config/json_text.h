// SPDX-License-Identifier: Apache-2.0
// JSON text of unknown origin to a tree: bounded, without duplicate keys, errors with line and column.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "config/violations.h"

namespace tokencycle::config {

inline constexpr std::size_t kMaxTextBytes = 1 << 20;
inline constexpr std::size_t kMaxDepth = 16;  // nested objects and arrays; a description needs 4

// The text of the file, at most kMaxTextBytes. `what` ("a machine description") and `folder`, which has some,
// are for the messages. Throws IoError, and ConfigurationError for a longer text.
std::string read_description(const std::filesystem::path& path, const std::string& what,
                             const std::string& folder);

// Parses `text`. Duplicate keys go to `violations` (the first value stays in the tree). Throws
// ConfigurationError for a syntax error, a number beyond binary64, or a text too long or too deep.
nlohmann::ordered_json parse_text(const std::string& text, Violations& violations);

// `key` as part of a JSON pointer, fit for a message.
std::string pointer_token(const std::string& key);

// Control characters would break the tables that names are printed in.
bool has_control_character(const std::string& text);

}  // namespace tokencycle::config
