// SPDX-License-Identifier: Apache-2.0
#include "cli/output_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/model_options.h"
#include "model/gguf/split.h"

namespace tokencycle::cli {

namespace fs = std::filesystem;

namespace {

// Most file systems take 255 bytes, and the temporary name has some more than the file's.
constexpr std::size_t kLongestName = 224;

// Without links, "." and "..": one spelling of each file, be it there or not.
fs::path spelled(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? path.lexically_normal() : whole;
}

// Whether a file can be put there. What is no regular file is refused: it would be replaced.
void check_writable(const fs::path& path) {
  const auto fail = [&path](const std::string& why) {
    throw IoError(fmt::format("{}: {}", path.string(), why));
  };
  if (path == "-") fail("this cannot go to standard output; name a file");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  const std::size_t length = path.filename().string().size();
  if (length > kLongestName) {
    fail(fmt::format("cannot be created: its name has {} bytes; choose one of at most {}", length,
                     kLongestName));
  }
  if (fs::is_directory(status)) fail("it is a folder; name a file in it");
  // /dev/stdout leads to whatever standard output is, and the link would be replaced.
  const std::string whole = fs::absolute(path, error).lexically_normal().string();
  const bool among_devices = whole.starts_with("/dev/") && !whole.starts_with("/dev/shm/");
  if (among_devices || (fs::exists(status) && !fs::is_regular_file(status))) {
    fail("it is a device or a pipe, which a finished file would replace; name a regular file");
  }
  if (fs::exists(status) && ::access(path.c_str(), W_OK) != 0) {
    fail(fmt::format("cannot be replaced: {}; name another file", std::strerror(errno)));
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!fs::is_directory(folder, error)) {
    fail(fmt::format("cannot be created: {} is no folder; make it first, or name another one",
                     folder.string()));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    fail(fmt::format("cannot be created: {}; choose another folder", std::strerror(errno)));
  }
}

}  // namespace

void check_apart(const std::vector<OutputFile>& outputs, const std::vector<fs::path>& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& [option, path] = outputs[i];
    for (const fs::path& input : inputs) {
      std::error_code absent;
      if (!fs::equivalent(path, input, absent) || absent) continue;
      throw UsageError(fmt::format("{} {}: the command reads this file; name another one for its output",
                                   option, path.string()));
    }
    for (std::size_t before = 0; before < i; ++before) {
      if (spelled(path) != spelled(outputs[before].path)) continue;
      throw UsageError(fmt::format("{} {}: the file is given twice, also by {} {}; name two files", option,
                                   path.string(), outputs[before].option, outputs[before].path.string()));
    }
  }
}

void check_outputs(const std::vector<OutputFile>& outputs, const std::vector<fs::path>& inputs) {
  check_apart(outputs, inputs);
  for (const OutputFile& output : outputs) check_writable(output.path);
}

std::vector<fs::path> run_inputs(const OptionParser& parser) {
  std::vector<fs::path> inputs;
  const bool program = parser.has("program");
  for (const std::string& file : parser.texts("program")) inputs.emplace_back(file);
  if (!program) {
    inputs = model::named_parts(model_path(parser));
  }
  for (const char* const option : {"file", "prompts"}) {
    if (parser.has(option)) inputs.emplace_back(parser.get<std::string>(option));
  }
  for (const char* const option : {"prompt", "tokens", "experts"}) {
    for (const std::string& value : parser.texts(option)) {
      if (value.starts_with('@')) inputs.emplace_back(value.substr(1));
    }
  }
  return inputs;
}

std::vector<OutputFile> named_outputs(const OptionParser& parser, const std::vector<std::string>& options) {
  std::vector<OutputFile> outputs;
  for (const std::string& option : options) {
    for (const std::string& file : parser.texts(option)) {
      const bool text = option == "result" || option == "output";  // which may go to standard output
      if (!text || file != "-") outputs.push_back({"--" + option, file});
    }
  }
  return outputs;
}

}  // namespace tokencycle::cli
