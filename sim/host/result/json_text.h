// SPDX-License-Identifier: Apache-2.0
// JSON documents as text that people can read: structure on lines of its own, numbers side by side.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tokencycle::host {

// Valid UTF-8 for a JSON document: a token may be a part of a character. What is no UTF-8 becomes U+FFFD.
std::string replace_invalid(const std::string& text);

// Indented by two, with a line's end; arrays and objects of numbers alone stand on one line.
std::string json_text(const nlohmann::ordered_json& document);

}  // namespace tokencycle::host
