// SPDX-License-Identifier: Apache-2.0
#include "app/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "app/interrupt.h"
#include "base/text.h"
#include "config/dram_device.h"
#include "observe/trace_file.h"

namespace tokencycle::app {

namespace po = boost::program_options;

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      {"run", "run a model on a machine: text, and where the cycles went", run_command},
      {"compare", "a model on several machines side by side, and why their cycles differ", compare_command},
      {"report", "results of runs as one page with tables and plots", report_command},
      {"perplexity", "how well a model predicts a text, by the reference or by the machine",
       perplexity_command},
      {"gemm", "matrix products on a machine: cycles of the array alone and end to end", gemm_command},
      {"dram", "a trace of memory requests on a DRAM: bandwidth, latencies, commands, energy", dram_command},
      {"inspect", "what is in a model, machine description, program or result", inspect_command},
      {"compile", "the program of one step of a model on a machine", compile_command},
      {"asm", "assembly text to a program file", asm_command},
      {"disasm", "a program file to assembly text", disasm_command},
  };
  return kCommands;
}

OptionParser::OptionParser(std::string usage, std::string about, std::string example)
    : usage_(std::move(usage)),
      about_(std::move(about)),
      example_(std::move(example)),
      options_("Options", 100, 60) {
  add()("help,h", "print this help");
}

bool OptionParser::parse(const Arguments& arguments) {
  try {
    po::store(po::command_line_parser(arguments)
                  .options(options_)
                  .positional(positional_)
                  .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
                  .run(),
              values_);
  } catch (const po::unknown_option& error) {
    std::vector<std::string> known;
    for (const auto& o : options_.options()) known.push_back("--" + o->long_name());
    const std::string near = nearest(error.get_option_name(), known);
    refuse(fmt::format("unknown option {}{}", error.get_option_name(),
                       near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  } catch (const po::error& error) {
    refuse(error.what());
  }
  if (!has("help")) return true;
  print_help();
  return false;
}

void OptionParser::print_help() const {
  std::ostringstream options;
  options << options_;
  fmt::print("usage: tokencycle {}\n\n{}\n\n{}\nexample:\n  {}\n", usage_, about_, options.str(), example_);
}

void OptionParser::refuse(const std::string& message) const {
  const std::string command = usage_.substr(0, usage_.find(' '));
  throw UsageError(fmt::format("{}; `tokencycle {} --help` lists the options", message, command));
}

std::vector<std::string> OptionParser::names() const {
  std::vector<std::string> names;
  for (const auto& option : options_.options()) {
    if (option->long_name() != "help") names.push_back(option->long_name());
  }
  return names;
}

std::string OptionParser::require(const std::string& name) const {
  if (!has(name)) refuse(fmt::format("--{} is missing", name));
  return get<std::string>(name);
}

std::uint32_t OptionParser::count(const std::string& name) const {
  const auto value = get<long long>(name);
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    refuse(fmt::format("--{} is {}; it must be 0 to {}", name, value,
                       std::numeric_limits<std::uint32_t>::max()));
  }
  return static_cast<std::uint32_t>(value);
}

std::uint64_t OptionParser::unsigned_number(const std::string& name) const {
  const std::string text = get<std::string>(name);
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) {
    refuse(fmt::format("--{} is '{}'; it must be a whole number, 0 to {}", name, text,
                       std::numeric_limits<std::uint64_t>::max()));
  }
  return value;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in && !std::filesystem::is_directory(path)) text << in.rdbuf();
  if (!in || std::filesystem::is_directory(path)) {
    throw IoError(fmt::format("{}: cannot be read: {}", path.string(),
                              std::filesystem::is_directory(path) ? "it is a folder" : std::strerror(errno)));
  }
  return text.str();
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path temporary = observe::temporary_name(path);
  const TemporaryFile remembered(temporary);
  const auto fail = [&](const char* what) {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw IoError(fmt::format("{}: {}: {}; nothing was left there", path.string(), what, reason));
  };
  {
    std::ofstream out(temporary, std::ios::binary);
    if (!out) fail("cannot be created");
    out << text;
    out.close();
    if (!out) fail("cannot be written");
  }
  observe::put_in_place(temporary, path);
}

void check_writable(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    throw IoError(fmt::format("{}: it is a folder; name a file in it", path.string()));
  }
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (::access(folder.c_str(), W_OK) != 0) {
    throw IoError(fmt::format("{}: cannot be created: {}", path.string(), std::strerror(errno)));
  }
}

namespace {
// Where configs/ and models/ are: TOKENCYCLE_HOME, or the tree that this program was built from.
std::filesystem::path home() {
  const char* set = std::getenv("TOKENCYCLE_HOME");
  return set != nullptr ? set : TOKENCYCLE_HOME;
}

// "a, b, c"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool is_name(const std::string& name_or_path) {
  return name_or_path.find('/') == std::string::npos && !name_or_path.ends_with(".json");
}
}  // namespace

std::filesystem::path find_configuration(const std::string& name_or_path) {
  if (!is_name(name_or_path) || std::filesystem::exists(name_or_path)) return name_or_path;
  const std::filesystem::path bundled = home() / "configs" / (name_or_path + ".json");
  if (std::filesystem::exists(bundled)) return bundled;
  std::vector<std::string> known;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(home() / "configs", ignored)) {
    if (entry.path().extension() == ".json") known.push_back(entry.path().stem().string());
  }
  std::sort(known.begin(), known.end());
  throw UsageError(
      fmt::format("{}: there is no such file, and no machine of that name in configs/; known are: {}",
                  name_or_path, listed(known)));
}

std::filesystem::path dram_presets_folder() {
  return home() / "configs" / "dram";
}

config::Machine read_configuration(const std::filesystem::path& path) {
  return config::read_machine(path, dram_presets_folder());
}

std::filesystem::path find_dram(const std::string& name_or_path) {
  if (!is_name(name_or_path) || std::filesystem::is_regular_file(name_or_path)) return name_or_path;
  const std::vector<std::string> known = config::dram_presets(dram_presets_folder());
  if (std::find(known.begin(), known.end(), name_or_path) != known.end()) {
    return dram_presets_folder() / (name_or_path + ".json");
  }
  const bool machine = std::filesystem::exists(home() / "configs" / (name_or_path + ".json"));
  throw UsageError(fmt::format(
      "{}: {}; give a file of a memory, or one of configs/dram/: {}", name_or_path,
      machine ? "that is a machine, not a memory" : "there is no such file, and no memory of that name",
      listed(known)));
}

std::filesystem::path bundled_model() {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(home() / "models", ignored)) {
    if (entry.path().filename().string().ends_with("q8_0.gguf")) found.push_back(entry.path());
  }
  if (found.empty()) throw UsageError("-m is missing: name a GGUF model file (there is no bundled one here)");
  return *std::min_element(found.begin(), found.end());
}

}  // namespace tokencycle::app
