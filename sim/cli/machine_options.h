// SPDX-License-Identifier: Apache-2.0
// The machine of a command: the file named by -c, with what other options change in it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "config/machine.h"
#include "config/technology/technology.h"

namespace tokencycle::cli {

struct MachineOptions {
  std::string config;                     // -c: a file, or a name in configs/; "NAME with /KEY=VALUE, ..."
  std::vector<std::string> set{};         // --set: "/matrix/rows=64"
  std::optional<std::string> dataflow{};  // --dataflow: ws, is, os, dot
  std::optional<std::string> tiling{};    // --tiling: most M,N,K of an instruction; 0: as many as fit
  bool no_overlap = false;                // --no-overlap
};

// --config and --set, for the commands that take one machine.
void add_machine_options(OptionParser& parser);
void add_set_option(OptionParser& parser);
// --technology; what it names, or else /technology of the machine, whose paths start at its file; null:
// neither. Throws IoError, ConfigurationError.
void add_technology_option(OptionParser& parser);
std::shared_ptr<const config::Technology> technology_of(const OptionParser& parser,
                                                        const config::Machine& machine);
// Those and --tiling, --dataflow and --no-overlap where the command has and got them.
MachineOptions machine_options_of(const OptionParser& parser);
// --set, as the command got it.
std::vector<std::string> sets_of(const OptionParser& parser);

// Whether there are changes, by --set or in the name.
bool names_changes(const MachineOptions& options);

// The same machine with further changes ("/matrix/rows=64"), which replace those of the same keys.
MachineOptions changed(const MachineOptions& options, const std::vector<std::string>& sets);

// Checked as its file was. Throws UsageError for an option's spelling, ConfigurationError for what the
// changed machine breaks, IoError.
config::Machine machine_with(const MachineOptions& options);

}  // namespace tokencycle::cli
