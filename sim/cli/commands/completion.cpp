// SPDX-License-Identifier: Apache-2.0
// tokencycle completion: scripts by which bash and zsh complete commands, options and their values.
#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "cli/options.h"
#include "cli/print/option_values.h"
#include "cli/shell_words.h"
#include "cli/standard_output.h"
#include "config/dram/device.h"
#include "host/places.h"

namespace tokencycle::cli {

namespace po = boost::program_options;

namespace {

// The text in single quotes for a shell.
std::string words_of(const std::vector<OptionInfo>& options) {
  std::string words;
  for (const OptionInfo& o : options) {
    if (o.positional && o.letter.empty()) continue;
    words += (words.empty() ? "--" : " --") + o.name;
    if (!o.letter.empty()) words += " -" + o.letter;
  }
  return words;
}

// What bash runs for the values of an option; empty: files.
std::string bash_values(const OptionValues& values) {
  const std::string files = " -f -- \"$cur\"";
  switch (values.kind) {
    case OptionValues::Kind::machines:
      return "compgen -W \"$(\"${COMP_WORDS[0]}\" completion machines 2>/dev/null)\"" + files;
    case OptionValues::Kind::memories:
      return "compgen -W \"$(\"${COMP_WORDS[0]}\" completion memories 2>/dev/null)\"" + files;
    case OptionValues::Kind::folders:
      return "compgen -d -- \"$cur\"";
    case OptionValues::Kind::choices:
      return fmt::format("compgen -W {} -- \"$cur\"",
                         shell_quoted(fmt::format("{}", fmt::join(values.choices, " "))));
    case OptionValues::Kind::none:
      return ":";
    case OptionValues::Kind::files:
      break;
  }
  return {};
}

std::string bash_script() {
  std::string names, options, values;
  for (const Command& command : commands()) {
    names += (names.empty() ? "" : " ") + command.name;
    const std::vector<OptionInfo> all = command.options().describe();
    options += fmt::format("    {}) options={} ;;\n", command.name, shell_quoted(words_of(all)));
    for (const OptionInfo& o : all) {
      if (!o.takes_value || o.positional) continue;
      const std::string run = bash_values(values_of(command.name, o.name));
      if (run.empty()) continue;
      values +=
          fmt::format("    {0}:--{1}{2}) mapfile -t COMPREPLY < <({3}); return ;;\n", command.name, o.name,
                      o.letter.empty() ? "" : fmt::format("|{}:-{}", command.name, o.letter), run);
    }
  }
  return fmt::format(R"(# bash completion of tokencycle; `tokencycle completion bash` prints it.
_tokencycle() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} options=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '{} --help --version' -- "$cur")
    return
  fi
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  case ${{COMP_WORDS[1]}}:$prev in
{}  esac
  case ${{COMP_WORDS[1]}} in
{}  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}}
complete -o filenames -o bashdefault -F _tokencycle tokencycle
)",
                     names, values, options);
}

// A meaning fit for zsh's [...] and ':' syntax.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const OptionValues& values) {
  switch (values.kind) {
    case OptionValues::Kind::machines:
      return "_tokencycle_described machines";
    case OptionValues::Kind::memories:
      return "_tokencycle_described memories";
    case OptionValues::Kind::folders:
      return "_files -/";
    case OptionValues::Kind::choices:
      return fmt::format("({})", fmt::join(values.choices, " "));
    case OptionValues::Kind::none:
      return "";
    case OptionValues::Kind::files:
      break;
  }
  return "_files";
}

std::string zsh_option(const std::string& command, const OptionInfo& o) {
  const OptionValues values = values_of(command, o.name);
  const std::string value =
      o.takes_value ? fmt::format(":{}:{}", zsh_text(o.name), zsh_action(values)) : std::string();
  if (o.positional) return "      " + shell_quoted("*" + value) + " \\\n";
  const std::string rest = shell_quoted(fmt::format("[{}]{}", zsh_text(o.meaning), value));
  const std::string repeat = o.repeats ? "*" : "";
  if (o.letter.empty()) return fmt::format("      '{}--{}'{} \\\n", repeat, o.name, rest);
  if (o.repeats) return fmt::format("      '*'{{-{},--{}}}{} \\\n", o.letter, o.name, rest);
  return fmt::format("      '(-{0} --{1})'{{-{0},--{1}}}{2} \\\n", o.letter, o.name, rest);
}

std::string zsh_script() {
  std::string names, cases;
  for (const Command& command : commands()) {
    names += fmt::format("    {}\n", shell_quoted(command.name + ":" + zsh_text(command.summary)));
    cases += fmt::format("    {}) _arguments \\\n", command.name);
    for (const OptionInfo& o : command.options().describe()) cases += zsh_option(command.name, o);
    cases += "      && return ;;\n";
  }
  return fmt::format(R"(#compdef tokencycle
# zsh completion of tokencycle; `tokencycle completion zsh` prints it.
_tokencycle_described() {{
  local -a names
  names=(${{=$(tokencycle completion $1 2>/dev/null)}})
  compadd -a names
  _files
}}
_tokencycle() {{
  local -a commands
  commands=(
{})
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
{}  esac
}}
_tokencycle "$@"
)",
                     names, cases);
}

std::string names_of_folder(const std::filesystem::path& folder) {
  std::string text;
  for (const std::string& name : config::dram_presets(folder)) text += name + '\n';
  return text;
}

}  // namespace

OptionParser completion_parser() {
  OptionParser parser(
      "completion bash|zsh|machines|memories",
      "Prints a script for the shell: `source <(tokencycle completion bash)`, or for zsh a file "
      "_tokencycle in $fpath. machines and memories are the names in configs/ that it offers.",
      "tokencycle completion bash > tokencycle.bash");
  parser.add()("shell", po::value<std::string>(), "bash, zsh, machines or memories");
  parser.positional("shell", 1);
  return parser;
}

ExitCode completion_command(const Arguments& arguments) {
  OptionParser parser = completion_parser();
  if (!parser.parse(arguments)) return ExitCode::success;
  const std::string shell = parser.require("shell");
  const std::map<std::string, std::string (*)()> scripts = {
      {"bash", bash_script},
      {"zsh", zsh_script},
      {"machines", [] { return names_of_folder(host::dram_presets_folder().parent_path()); }},
      {"memories", [] { return names_of_folder(host::dram_presets_folder()); }}};
  const auto script = scripts.find(shell);
  if (script == scripts.end()) {
    const std::vector<std::string> allowed = {"bash", "zsh", "machines", "memories"};
    throw UsageError(fmt::format("completion {}: it must be bash, zsh, machines or memories{}", shell,
                                 did_you_mean(shell, allowed)));
  }
  print_now(script->second());
  return ExitCode::success;
}

}  // namespace tokencycle::cli
