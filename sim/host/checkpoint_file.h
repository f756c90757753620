// SPDX-License-Identifier: Apache-2.0
// The file of a checkpoint: a line of JSON, a state as bytes, and a digest of both.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

namespace tokencycle::host {

inline constexpr const char* kCheckpointSchema = "tokencycle-checkpoint-1";

// Writes `header` (its first key is "schema") and what `state` writes under a temporary name, and puts the
// file in place: however the process ends, there is a whole one. `durable`: also after a power failure, which
// waits for the disk. Throws IoError; the one before stays then.
void write_checkpoint(const std::filesystem::path& path, const nlohmann::ordered_json& header,
                      const std::function<void(std::ostream&)>& state, bool durable);

// Looks at the digest before anything else, then hands over the header and the stream where the state begins.
// Throws IoError for a file that cannot be read, is no checkpoint or is damaged, and what `state` throws.
void read_checkpoint(const std::filesystem::path& path,
                     const std::function<void(const nlohmann::ordered_json& header, std::istream&)>& state);

// True if the file begins as one.
bool is_checkpoint(const std::filesystem::path& path);

// The running program's file as a digest: state is laid out by its code. Empty where it cannot be read.
std::string program_file_digest();

}  // namespace tokencycle::host
