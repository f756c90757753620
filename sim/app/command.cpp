// SPDX-License-Identifier: Apache-2.0
#include "app/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <typeinfo>

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
  } catch (const po::invalid_option_value& error) {
    refuse(fmt::format("{}; {}", error.what(), expectation(error.get_option_name())));
  } catch (const po::error& error) {
    refuse(error.what());
  }
  refuse_empty();
  if (!has("help")) return true;
  print_help();
  return false;
}

void OptionParser::print_help() const {
  std::ostringstream options;
  options << options_;
  fmt::print("usage: tokencycle {}\n\n{}\n\n{}\nexample:\n  {}\n", usage_, about_, options.str(), example_);
}

// What an option that is no text must be.
std::string OptionParser::expectation(const std::string& name) const {
  const std::string bare = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  const auto* option = options_.find_nothrow(bare, false);
  const auto* typed =
      option == nullptr ? nullptr : dynamic_cast<const po::typed_value_base*>(option->semantic().get());
  const std::type_info& type = typed == nullptr ? typeid(std::string) : typed->value_type();
  if (type == typeid(double)) return "it must be a number, for example 0.8";
  if (type == typeid(int)) return "it must be a whole number";
  return fmt::format("it must be a whole number, 0 to {}", std::numeric_limits<std::uint32_t>::max());
}

// The options that name files: an empty name would lead to a message without one.
void OptionParser::refuse_empty() const {
  for (const char* const name : {"model", "config", "input", "output", "result", "results", "trace",
                                 "commands", "program", "file", "shapes"}) {
    for (const std::string& text : texts(name)) {
      if (text.empty()) refuse(fmt::format("--{} is empty; name a file, or leave the option out", name));
    }
  }
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

std::vector<std::string> OptionParser::texts(const std::string& name) const {
  using Texts = std::vector<std::string>;
  if (!has(name)) return {};
  const boost::any& value = values_[name].value();
  if (const auto* one = boost::any_cast<std::string>(&value)) return {*one};
  const auto* several = boost::any_cast<Texts>(&value);
  return several == nullptr ? Texts{} : *several;
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
  const auto fail = [&path](const std::string& why) {
    throw IoError(fmt::format("{}: cannot be read: {}", path.string(), why));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail("it is a folder; name a file in it");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(fmt::format("{}; check path and permissions", std::strerror(errno)));
  // Whatever the file is (/dev/zero), it is not read for ever.
  std::string text;
  std::vector<char> part(1 << 16);
  while (text.size() <= kMostTextBytes && in.read(part.data(), std::ssize(part)).gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) fail(std::strerror(errno));
  if (text.size() > kMostTextBytes) {
    fail(fmt::format("it has more than {}; give a shorter one", bytes_text(kMostTextBytes)));
  }
  return text;
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

// Of the descriptions in a folder of configs/, sorted.
std::vector<std::string> names_in(const std::filesystem::path& folder) {
  return config::dram_presets(folder);
}

bool is_name(const std::string& name_or_path) {
  return name_or_path.find('/') == std::string::npos && !name_or_path.ends_with(".json");
}
}  // namespace

std::filesystem::path find_configuration(const std::string& name_or_path) {
  std::error_code ignored;  // a name may be too long for a file's
  if (!is_name(name_or_path) || std::filesystem::exists(name_or_path, ignored)) return name_or_path;
  const std::filesystem::path bundled = home() / "configs" / (name_or_path + ".json");
  if (std::filesystem::exists(bundled, ignored)) return bundled;
  const std::vector<std::string> known = names_in(home() / "configs"),
                                 memories = names_in(dram_presets_folder());
  const bool memory = std::find(memories.begin(), memories.end(), name_or_path) != memories.end();
  throw UsageError(fmt::format("{}: {}{}; known are: {}", name_or_path,
                               memory ? "that is a memory, not a machine: it goes with `tokencycle dram -c`"
                                      : "there is no such file, and no machine of that name in configs/",
                               did_you_mean(name_or_path, known), listed(known)));
}

std::filesystem::path dram_presets_folder() {
  return home() / "configs" / "dram";
}

config::Machine read_configuration(const std::filesystem::path& path) {
  return config::read_machine(path, dram_presets_folder());
}

std::filesystem::path find_dram(const std::string& name_or_path) {
  std::error_code ignored;
  if (!is_name(name_or_path) || std::filesystem::is_regular_file(name_or_path, ignored)) return name_or_path;
  const std::vector<std::string> known = names_in(dram_presets_folder());
  if (std::find(known.begin(), known.end(), name_or_path) != known.end()) {
    return dram_presets_folder() / (name_or_path + ".json");
  }
  const bool machine = std::filesystem::exists(home() / "configs" / (name_or_path + ".json"), ignored);
  throw UsageError(fmt::format(
      "{}: {}{}; give a file of a memory, or one of configs/dram/: {}", name_or_path,
      machine ? "that is a machine, not a memory" : "there is no such file, and no memory of that name",
      did_you_mean(name_or_path, known), listed(known)));
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
