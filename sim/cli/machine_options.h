// SPDX-License-Identifier: Apache-2.0
// The machine of a command: the file named by -c, with what other options change in it.
#pragma once

#include <optional>
#include <string>

#include "config/machine.h"

namespace tokencycle::cli {

struct MachineOptions {
  std::string config;                   // -c: a file, or a name in configs/
  std::optional<std::string> dataflow;  // --dataflow: ws, is, os, dot
  std::optional<std::string> tiling;    // --tiling: most M,N,K of an instruction; 0: as many as fit
  bool no_overlap = false;              // --no-overlap
};

// Checked as its file was. Throws UsageError for an option's spelling, ConfigurationError for what the
// changed machine breaks, IoError.
config::Machine machine_with(const MachineOptions& options);

}  // namespace tokencycle::cli
