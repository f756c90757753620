// SPDX-License-Identifier: Apache-2.0
// The text of a result file to a tree: bounded in size, depth and keys, without duplicate keys.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace tokencycle::explore {

inline constexpr std::size_t kMostResultBytes = 64u << 20;  // some 50,000 tokens
inline constexpr int kMostResultDepth = 16;                 // nested objects and lists; a result needs 8
inline constexpr std::size_t kMostResultKeys = 256;         // of one object; a result needs 73, units

// Throws IoError for a file that cannot be read or is no JSON within these bounds; the message has the place.
nlohmann::ordered_json read_result_text(const std::filesystem::path& path);
nlohmann::ordered_json parse_result_text(const std::string& text, const std::string& source);

}  // namespace tokencycle::explore
