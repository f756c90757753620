// SPDX-License-Identifier: Apache-2.0
// What is known of a command's files before its work begins: no output replaces an input, a device or another
// output.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/options.h"

namespace tokencycle::cli {

struct OutputFile {
  std::string option;  // as in the message: "--result"
  std::filesystem::path path;
};

// Throws UsageError where an output is one of the inputs, by whatever name or link, or where two outputs are
// one file. Inputs that are not there are passed over: reading them says so.
void check_apart(const std::vector<OutputFile>& outputs, const std::vector<std::filesystem::path>& inputs);

// The same, and whether each can be put there, asked before the work whose result it is. What is no regular
// file (a device, a pipe) is refused: it would be replaced. Throws IoError too.
void check_outputs(const std::vector<OutputFile>& outputs, const std::vector<std::filesystem::path>& inputs);

// The files that -m, -p @FILE, -f, --tokens @RESULT.json and --program name; without -m the bundled model.
std::vector<std::filesystem::path> run_inputs(const OptionParser& parser);

// The files that these options name, except "-" for a text; as far as they were given: "result" and, with
// several files, "trace".
std::vector<OutputFile> named_outputs(const OptionParser& parser, const std::vector<std::string>& options);

}  // namespace tokencycle::cli
