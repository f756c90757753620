// SPDX-License-Identifier: Apache-2.0
// Where machine descriptions, memories and the bundled model lie.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/machine.h"
#include "config/technology/technology.h"

namespace tokencycle::host {

// A machine description by path, or by the name of one in configs/ ("edge").
std::filesystem::path find_configuration(const std::string& name_or_path);
// What it describes, with changes; DRAM presets and bases that are not beside it are those of configs/.
config::Machine read_configuration(const std::filesystem::path& path,
                                   std::vector<config::Change> changes = {});
config::ReadOptions read_options();
// A technology by file or name in configs/technology/, read. Throws IoError, ConfigurationError.
config::Technology find_technology(const std::string& name_or_path);  // with which it reads
// A machine or a memory, by path or name.
std::filesystem::path find_description(const std::string& name_or_path);
// A memory by path, or the preset of that name in dram_presets_folder() ("ddr4-3200").
std::filesystem::path find_dram(const std::string& name_or_path);
std::filesystem::path dram_presets_folder();  // configs/dram
// The model for runs without -m: the bundled one. Throws UsageError when there is none.
std::filesystem::path bundled_model();

}  // namespace tokencycle::host
