// SPDX-License-Identifier: Apache-2.0
// A machine's description as one tree, before it is checked: a file, the bases that it names, and changes.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "config/machine.h"
#include "config/violations.h"

namespace tokencycle::config {

struct Description {
  nlohmann::ordered_json tree;  // without "base"
  Provenance provenance;
  std::filesystem::path preset_folder;  // of the file that names the DRAM preset
};

// `text` is that of `file`, whose folder bases are looked for in first, then in options.machines. A file with
// a base has the base's keys, its own in their place: objects are merged, other values and lists replaced,
// null takes a key away. The address mapping and the channel's GB/s of the base go where preset, channels or
// bytes of a request change without them. Adds to `violations` what is wrong, and tells it the sources of all
// values. Throws ConfigurationError and IoError where a text or a base cannot be read.
Description describe(const std::string& text, const std::filesystem::path& file, const ReadOptions& options,
                     Violations& violations);

}  // namespace tokencycle::config
